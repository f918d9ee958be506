//! Where questions are answered from: the project's knowledge base and the files that were named.
//!
//! A project without a knowledge base has its own documents and code. What is found by its meaning
//! beside its words, and why not, is decided here: start at [`meanings`].

use std::{env, path::Path, sync::Arc, time::Duration};

use tm_knowledge::{
    index::{Index, IndexError, vectors::Embedder},
    qdrant::Qdrant,
    read::pdf::process::PdfReader,
};
use tm_llm::{
    backend::Backend,
    catalogue::Catalogue,
    egress::rest::{Rest, RestError},
    failover::Failover,
};
use tm_tasks::config::Role;
use tm_workflows::{
    embedding::{EmbeddingModel, server::VectorServer},
    reranking::Reranker,
    research::{Documents, library::Library, sources::SourceFile},
};

use crate::{
    app::Workspace,
    backend,
    cli::{asking::timeout, kb::told},
    report::{Report, advice},
};

/// What a rank by meaning counts beside one by words, for models that nobody has measured.
const UNMEASURED_WEIGHT: f64 = 1.0;

/// Whether a knowledge base can be asked by what it means.
#[derive(Debug)]
pub(crate) enum Meanings {
    /// By this model, which made the vectors of all chunks but so many.
    Usable { model: EmbeddingModel, missing: u64 },
    /// By words alone.
    Unusable(WordsAlone),
}

/// Why, and what would change that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WordsAlone {
    pub(crate) why: String,
    pub(crate) hint: &'static str,
}

/// What to type for the model that runs in this process.
pub(crate) const FETCH_HINT: &str =
    "fetch one with `task-master models pull all-minilm-l6-v2-q8_0`, then `task-master kb embed`";

/// The project's embedding model, which is loaded when it is asked first; none where there is none.
pub(crate) fn embedding_model(workspace: &Workspace) -> anyhow::Result<Option<EmbeddingModel>> {
    Ok(embedding(workspace)?.map(|(model, _)| model))
}

/// The same, with what is known of its work.
pub(crate) fn embedding(
    workspace: &Workspace,
) -> anyhow::Result<Option<(EmbeddingModel, Arc<Failover>)>> {
    let Some(choice) = backend::for_embeddings(workspace)? else { return Ok(None) };
    let embedder = Embedder {
        model: choice.model.clone(),
        identity: choice.identity.clone().unwrap_or_else(|| choice.model.clone()),
    };
    let catalogue = Catalogue::builtin()?;
    let facts = catalogue.find(&choice.model).ok().and_then(|it| it.vectors);
    let weight = facts.map_or(UNMEASURED_WEIGHT, |it| f64::from(it.weight_percent) / 100.0);
    let near = facts.map(|it| f64::from(it.near_percent) / 100.0);
    let answers = facts.map(|it| f64::from(it.answers_percent) / 100.0);
    let unrelated = facts.map(|it| f64::from(it.unrelated_percent) / 100.0);
    let timeout = timeout(workspace)?;
    let failover = choice.open_when_asked();
    let backend: Arc<dyn Backend> = Arc::<Failover>::clone(&failover);
    let model = EmbeddingModel { backend, embedder, weight, near, answers, unrelated, timeout };
    Ok(Some((model, failover)))
}

/// The project's model that ranks passages; none where it names none.
pub(crate) fn reranker(workspace: &Workspace) -> anyhow::Result<Option<Reranker>> {
    let Some(choice) = backend::for_reranking(workspace)? else { return Ok(None) };
    Ok(Some(Reranker::new(choice.open_when_asked(), timeout(workspace)?)))
}

/// A question is asked in the meantime.
const QDRANT_TIMEOUT: Duration = Duration::from_secs(30);

/// The Qdrant server that looks through vectors; none where the user names none.
pub(crate) fn qdrant(workspace: &Workspace) -> anyhow::Result<Option<Qdrant>> {
    let Some(url) = workspace.environment.qdrant_url() else { return Ok(None) };
    let key = workspace.environment.variable("QDRANT_API_KEY");
    let key = key.map(|it| ("api-key", it.to_owned()));
    let (guard, on_blocked) = (backend::guard(workspace), backend::on_blocked(workspace));
    match Rest::new(&guard, on_blocked, url, key, QDRANT_TIMEOUT) {
        Ok(rest) => Ok(Some(Qdrant::new(rest))),
        Err(error) => {
            let hint = match &error {
                RestError::NotLocal(_) => {
                    "if the host is yours, list it in TASKMASTER_LOCAL_HOSTS; nothing was sent"
                }
                RestError::Key => "see QDRANT_API_KEY",
                RestError::Egress(_) => "see SSL_CERT_FILE and NODE_EXTRA_CA_CERTS",
                RestError::NoAddress
                | RestError::Unreachable { .. }
                | RestError::Refused { .. }
                | RestError::NotJson { .. }
                | RestError::Endless { .. } => "write it as http://127.0.0.1:6333",
            };
            let message = "the server that TASKMASTER_QDRANT_URL names cannot be asked";
            Err(anyhow::Error::new(error).context(advice(message, hint)))
        }
    }
}

/// What is told when a server that should have put passages in order, or found them, did not.
pub(crate) fn tell_degraded(libraries: &[Library], report: &mut Report) {
    if let Some(why) = libraries.iter().find_map(Library::unranked) {
        report.warn(&format!("passages are in the order in which they were found: {why}"));
    }
    if let Some(why) = libraries.iter().find_map(Library::searched_here) {
        let hint = "`task-master kb embed` brings the server up to date";
        report.warn(&format!("vectors were looked through here: {why}; {hint}"));
    }
}

/// How a knowledge base can be asked with this model.
pub(crate) fn meanings(
    index: &Index,
    model: Option<EmbeddingModel>,
) -> Result<Meanings, IndexError> {
    let alone = |why: String, hint| Ok(Meanings::Unusable(WordsAlone { why, hint }));
    let Some(model) = model else {
        return alone("there is no embedding model here".to_owned(), FETCH_HINT);
    };
    match index.check_embedder(&model.embedder) {
        Ok(()) => Ok(Meanings::Usable { model, missing: index.count_unembedded()? }),
        Err(error @ IndexError::NoVectors) => {
            alone(error.to_string(), "make them with `task-master kb embed`")
        }
        Err(error @ IndexError::OtherEmbedder { .. }) => {
            alone(error.to_string(), "make them anew with `task-master kb embed --again`")
        }
        Err(error) => Err(error),
    }
}

/// This program, which reads a PDF document with `read-pdf` and does nothing else then.
pub(crate) fn pdf_reader() -> PdfReader {
    let program = env::current_exe().and_then(|it| it.canonicalize());
    PdfReader::new(program.unwrap_or_else(|_| "task-master".into()), &["read-pdf"])
}

/// What the model of a role is told about: for research what documents say, else nothing.
pub(crate) fn for_role(
    workspace: &Workspace,
    role: Role,
    report: &mut Report,
) -> anyhow::Result<Option<Documents>> {
    (role == Role::Research).then(|| documents(workspace, &[], report)).transpose()
}

/// All that a question may be answered from. It is said when that is found by words alone.
pub(crate) fn documents(
    workspace: &Workspace,
    files: &[SourceFile],
    report: &mut Report,
) -> anyhow::Result<Documents> {
    let root = workspace.project.root();
    let file = workspace.project.knowledge_file();
    let model = if file.exists() { embedding_model(workspace)? } else { None };
    let (mut found, alone) = of_project(root, &file, model).map_err(told)?;
    let reranker = reranker(workspace)?;
    let vectors = qdrant(workspace)?.map(VectorServer::new);
    let beside = |it: Library| it.with_reranker(reranker.clone()).with_vectors_at(vectors.clone());
    found.libraries = found.libraries.into_iter().map(beside).collect();
    if let Some(WordsAlone { why, hint }) = alone {
        report.note(&format!("documents are found by their words alone: {why}; {hint}"));
    }
    if files.is_empty() {
        return Ok(found);
    }
    let named = Library::of_files(root, files).map_err(told)?;
    Ok(Documents { libraries: [vec![named], found.libraries].concat(), ..found })
}

/// The knowledge base in `file`, or what else is in the project, which has no vectors.
pub(crate) fn of_project(
    root: &Path,
    file: &Path,
    model: Option<EmbeddingModel>,
) -> Result<(Documents, Option<WordsAlone>), IndexError> {
    match Index::open(file) {
        Ok(index) => {
            let meanings = meanings(&index, model)?;
            let library = Library::new(index);
            let (library, alone) = match meanings {
                Meanings::Usable { model, .. } => (library.with_model(model), None),
                Meanings::Unusable(alone) => (library, Some(alone)),
            };
            Ok((Documents { libraries: vec![library], abstains: true }, alone))
        }
        Err(IndexError::Missing { .. }) => {
            let libraries = Library::of_project(root, &pdf_reader())?.into_iter().collect();
            Ok((Documents { libraries, abstains: false }, None))
        }
        Err(error) => Err(error),
    }
}
