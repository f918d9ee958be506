//! What tools ask of Perplexity, answered from the project's documents.
//!
//! The question is researched as `task-master research` does it, and the answer names its sources
//! where that protocol has them. A knowledge base that does not know says so; without one, the
//! project's own documents are searched, and an answer that rests on none of them says that.

use std::path::PathBuf;

use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tm_knowledge::index::{IndexError, file_of};
use tm_llm::{
    chat::{FinishReason, Message, Role, Usage},
    dialect::serve::{
        Answer, AnswerForm, ClientError, ClientRequest, Identity, Writer as _,
        responses::ResponseWriter,
    },
    structured::StructuredError,
};
use tm_workflows::{
    asking::{AskError, Asking},
    embedding::EmbeddingModel,
    prompts::OURS,
    research::{Documents, Research, Researched, cited::Citation, research, session::Exchange},
};

use super::{
    Door, Gateway,
    cached::{self, Known, Lookup, Made},
    client::Client,
    count::Count,
    identity, json_body, json_text, refused,
    routing::Routed,
};
use crate::{backend::names::is_search_model, knowledge::of_project};

/// Where the documents are.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The project and its knowledge base.
    project: Option<(PathBuf, PathBuf)>,
    /// What knows the meaning of questions.
    model: Option<EmbeddingModel>,
}

impl Sources {
    /// The knowledge base in `file`, or else what is in the project.
    pub fn new(project: PathBuf, file: PathBuf) -> Self {
        Self { project: Some((project, file)), model: None }
    }

    /// The same, found by what it means as well, where this model made its vectors.
    #[must_use]
    pub fn with_model(self, model: Option<EmbeddingModel>) -> Self {
        Self { model, ..self }
    }
}

/// An answer and where it is from.
#[derive(Debug, Serialize, Deserialize)]
struct Sourced {
    answer: String,
    /// The sources, as that protocol has them.
    results: Vec<Value>,
    searches: usize,
    by_words_alone: bool,
    prompt_tokens: u32,
    completion_tokens: u32,
}

/// Whether a model that searches is asked for words; an answer that has a form is any model's.
pub(super) fn is_search(request: &ClientRequest) -> bool {
    is_search_model(&request.model) && request.form == AnswerForm::Text
}

/// Researches the last question of a conversation.
pub(super) async fn answer(client: Client, request: ClientRequest, door: Door) -> Response {
    let identity = identity(&client, &request);
    let mut count = Count::begin(&client, door, &request.model);
    let routed = match count.route(&client, &request.model, None).await {
        Ok(routed) => routed,
        Err(error) => return refused(&error, door.error_body),
    };
    let (found, lookup) = found(&client, &routed, &request).await;
    count.looked_up(&lookup);
    let is_hit = matches!(lookup, Lookup::Hit { .. });
    count.end(found.as_ref().map(|it| if is_hit { Usage::default() } else { it.usage() }));
    let response = match found {
        Err(error) => refused(&error, door.error_body),
        Ok(found) => {
            let retrieval = if found.by_words_alone { "words" } else { "words, meaning" };
            ([("x-retrieval", retrieval)], written(identity, &found, &request, door))
                .into_response()
        }
    };
    routed.told(response, &lookup)
}

/// An answer that was found before in the same documents, or a new one; and which.
async fn found(
    client: &Client,
    routed: &Routed,
    request: &ClientRequest,
) -> (Result<Sourced, ClientError>, Lookup) {
    let question = match question(client, request).await {
        Ok(question) => question,
        Err(error) => return (Err(error), Lookup::Bypass),
    };
    let keeping = match cached::look(client, routed, || question.1).await {
        Ok(Known::Given(Ok(Made { by, answer }))) => {
            return (Sourced::given(answer), Lookup::Hit { by });
        }
        Ok(Known::Given(Err(error))) => return (Err(error), Lookup::Hit { by: String::new() }),
        Ok(Known::Unknown(keeping)) => keeping,
        Err(error) => return (Err(error), Lookup::Miss),
    };
    let lookup = keeping.lookup();
    let sourced = ask(&client.gateway, routed, &question.0).await;
    let outcome = sourced.as_ref().map_err(Clone::clone).and_then(|it| {
        serde_json::to_value(it).map_err(|it| ClientError::Failed { message: it.to_string() })
    });
    keeping.settle(outcome, routed.is_as_wanted(), routed.asked_last()).await;
    (sourced, lookup)
}

/// What is to be researched, and all that the answer depends on besides the model.
async fn question(
    client: &Client,
    request: &ClientRequest,
) -> Result<(Research, Value), ClientError> {
    let (query, earlier) = conversation(&request.messages);
    if query.is_empty() {
        return Err(ClientError::invalid("there is no question"));
    }
    let documents = documents(&client.gateway.sources).await?;
    let mut revisions = Vec::new();
    for library in &documents.libraries {
        let revision = library.revision().await;
        revisions.push(revision.map_err(|it| ClientError::Failed { message: it.to_string() })?);
    }
    let before: Vec<Value> = earlier.iter().map(|it| json!([it.query, it.answer])).collect();
    let what = json!({
        "researched": query, "earlier": before, "documents": revisions,
        "abstains": documents.abstains,
    });
    Ok((Research { query, earlier, documents, ..Research::default() }, what))
}

/// The answer as the endpoint has it. A stream has all of it in one piece.
fn written(identity: Identity, sourced: &Sourced, request: &ClientRequest, door: Door) -> Response {
    let headers = [("content-type", "text/event-stream"), ("cache-control", "no-cache")];
    if door.name == super::AGENT.name {
        let mut writer = ResponseWriter::new(identity).with_sources(&sourced.results);
        let answer = Answer {
            reasoning: String::new(),
            text: sourced.answer.clone(),
            calls: Vec::new(),
            finish: FinishReason::Stop,
            stopped_by: None,
            usage: sourced.usage(),
        };
        if !request.stream {
            return json_text(writer.whole(&answer)).into_response();
        }
        let frames = [writer.begin(), writer.text(&sourced.answer), writer.end(&answer)];
        return (headers, frames.concat()).into_response();
    }
    if request.stream {
        let chunk = body(&identity, sourced, "chat.completion.chunk");
        return (headers, format!("data: {chunk}\n\ndata: [DONE]\n\n")).into_response();
    }
    json_body(&body(&identity, sourced, "chat.completion")).into_response()
}

async fn ask(
    gateway: &Gateway,
    routed: &Routed,
    question: &Research,
) -> Result<Sourced, ClientError> {
    let asking = Asking {
        backend: &*routed.backend,
        language: "English",
        prompts: &OURS,
        timeout: gateway.timeout,
        observer: &|_| (),
        documents: None,
        escalation: None,
    };
    let researched = research(asking, &[], question).await.map_err(|error| match error {
        AskError::Text(error) | AskError::Object(StructuredError::Backend(error)) => error.into(),
        error @ (AskError::Object(_) | AskError::Documents(_) | AskError::Prompt(_)) => {
            ClientError::Failed { message: error.to_string() }
        }
    });
    researched.map(Sourced::of)
}

/// Opened for each question, so that it is answered from what is known by then.
async fn documents(sources: &Sources) -> Result<Documents, ClientError> {
    let Some((project, file)) = sources.project.clone() else {
        let message = "an answer with sources needs a project with documents: start the gateway \
                       in one";
        return Err(ClientError::Unsupported { message: message.to_owned() });
    };
    let model = sources.model.clone();
    let opened = tokio::task::spawn_blocking(move || of_project(&project, &file, model)).await;
    let opened = opened.unwrap_or(Err(IndexError::Interrupted));
    let opened = opened.map_err(|error| ClientError::Failed { message: error.to_string() });
    opened.map(|(documents, _)| documents)
}

/// The last question, and what was asked and answered before.
fn conversation(messages: &[Message]) -> (String, Vec<Exchange>) {
    let mut earlier = Vec::new();
    let mut query = String::new();
    for message in messages {
        match message.role {
            Role::System => {}
            Role::User => question_of(&message.content).clone_into(&mut query),
            Role::Assistant => earlier.push(Exchange {
                query: std::mem::take(&mut query),
                answer: message.content.clone(),
            }),
        }
    }
    (query, earlier)
}

/// The question in a message that has more: Task Master puts it under a heading of its own.
fn question_of(message: &str) -> &str {
    let after = message.split_once("# Research Query").map_or(message, |(_, after)| after);
    let end = after.find("\n#").unwrap_or(after.len());
    after.get(..end).unwrap_or(after).trim()
}

impl Sourced {
    fn of(researched: Researched) -> Self {
        let Researched { answer, usage, cited, .. } = researched;
        let rounds = cited.iter().flat_map(|it| &it.rounds);
        Self {
            answer,
            results: cited.iter().flat_map(|it| &it.citations).map(result).collect(),
            searches: rounds.map(|it| it.questions.len()).sum(),
            by_words_alone: cited.is_some_and(|it| it.by_words_alone),
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
        }
    }

    fn given(kept: Value) -> Result<Self, ClientError> {
        serde_json::from_value(kept).map_err(|it| ClientError::Failed { message: it.to_string() })
    }

    fn usage(&self) -> Usage {
        let Self { prompt_tokens, completion_tokens, .. } = *self;
        Usage { prompt_tokens, completion_tokens, ..Usage::default() }
    }
}

/// A whole answer and the only chunk of a stream have the same members.
fn body(identity: &Identity, sourced: &Sourced, object: &str) -> Value {
    let urls: Vec<&Value> = sourced.results.iter().filter_map(|it| it.get("url")).collect();
    let message = json!({"role": "assistant", "content": sourced.answer});
    json!({
        "id": identity.id,
        "model": identity.model,
        "created": identity.created,
        "object": object,
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": message, "delta": message}
        ],
        "citations": urls,
        "search_results": sourced.results,
        "usage": {
            "prompt_tokens": sourced.prompt_tokens,
            "completion_tokens": sourced.completion_tokens,
            "total_tokens": sourced.prompt_tokens + sourced.completion_tokens,
            "num_search_queries": sourced.searches,
            "cost": {"input_tokens_cost": 0, "output_tokens_cost": 0, "total_cost": 0},
        },
    })
}

fn result(citation: &Citation) -> Value {
    let quotes: Vec<&str> = citation.quotes.iter().map(|it| it.text.as_str()).collect();
    json!({
        "title": citation.title, "url": url(citation), "date": null, "last_updated": null,
        "snippet": quotes.join(" \u{2026} "), "source": "attachment",
    })
}

/// The file with the page or the lines, as a browser of this machine opens them.
fn url(citation: &Citation) -> String {
    let path = file_of(&citation.location, &citation.path);
    let mut escaped = String::new();
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(["%".to_owned(), format!("{byte:02X}")]);
        }
    }
    match citation.page {
        Some(page) => format!("file://{escaped}#page={page}"),
        None => format!("file://{escaped}#L{}-L{}", citation.first_line, citation.last_line),
    }
}
