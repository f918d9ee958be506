//! Models beside those of the roles: one that makes vectors, and one that ranks passages.
//!
//! Nobody stands in for them: what two of them say cannot be compared. Start at [`for_embeddings`] and
//! [`for_reranking`].

use tm_llm::failover::Candidate;
use tm_tasks::config::RoleModel;

use super::{
    Choice, Finder, embedded,
    kept::Work,
    local,
    routes::{Route, beside_roles},
    served,
};
use crate::{app::Workspace, report::advice};

/// The model that turns texts into vectors, found but not connected to: the one that the project
/// names, or the embedded default where that was fetched.
pub fn for_embeddings(workspace: &Workspace) -> anyhow::Result<Option<Choice>> {
    let environment = &workspace.environment;
    let finder = Finder::new(workspace);
    let (candidate, model, identity) = match route(workspace, workspace.config.embedding_model())? {
        Some(Route::Server(server)) => {
            let candidate = served(&server, &finder.guard, workspace)?;
            let identity = format!("{} {}", server.provider.name, server.model);
            (candidate, server.model, identity)
        }
        Some(Route::Embedded { model: Some(model), .. }) => {
            reading(workspace, embedded::find_embedder(environment, Some(&model))?)
        }
        // A client lends a model that writes, and none that makes vectors.
        Some(Route::Embedded { model: None, .. } | Route::Client) | None => {
            let Some(found) = embedded::default_embedder(environment)? else { return Ok(None) };
            reading(workspace, found)
        }
    };
    Ok(Some(choice(finder, candidate, model, Some(identity))))
}

/// The model that says how well passages answer a question, found but not connected to; none where
/// the project names none.
pub fn for_reranking(workspace: &Workspace) -> anyhow::Result<Option<Choice>> {
    let finder = Finder::new(workspace);
    match route(workspace, workspace.config.reranking_model())? {
        None => Ok(None),
        Some(Route::Server(server)) => {
            let candidate = served(&server, &finder.guard, workspace)?;
            Ok(Some(choice(finder, candidate, server.model, None)))
        }
        Some(Route::Embedded { .. } | Route::Client) => Err(advice(
            "`models.rerank` is no server that may be asked",
            "name one on this machine that has /v1/rerank, or take it out of the configuration",
        )
        .into()),
    }
}

fn route(workspace: &Workspace, model: Option<RoleModel>) -> anyhow::Result<Option<Route>> {
    Ok(beside_roles(&workspace.config, &workspace.environment, model)?)
}

fn choice(
    finder: Finder<'_>,
    candidate: Candidate,
    model: String,
    identity: Option<String>,
) -> Choice {
    let (setout, audit) = (finder.setout(None), finder.audit);
    let (id, candidates, kept_from) = (candidate.name().to_owned(), vec![candidate], Vec::new());
    Choice { id, model, identity, candidates, setout, kept_from, audit }
}

/// An embedding model of this process, its name, and what tells it from others.
fn reading(workspace: &Workspace, found: embedded::Found) -> (Candidate, String, String) {
    let (id, identity) = (found.id.clone(), found.identity.clone());
    (local(workspace, found, Work::Vectors), id, identity)
}
