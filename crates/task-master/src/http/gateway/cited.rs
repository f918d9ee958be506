//! What tools ask of Perplexity, answered from the knowledge base.
//!
//! The question is researched as `task-master research` does it, and the answer names its sources
//! where that protocol has them. A project without documents has nothing to search in, and says so.

use std::path::Path;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tm_knowledge::index::{Index, IndexError, file_of};
use tm_llm::{
    chat::{Message, Role, Usage},
    dialect::serve::{ClientError, ClientRequest, Identity, openai},
    structured::StructuredError,
};
use tm_workflows::{
    asking::{AskError, Asking},
    research::{
        Documents, Research, Researched, cited::Citation, library::Library, research,
        session::Exchange,
    },
};

use super::{Gateway, identity, json_body, refused};

/// Models that search.
pub(super) fn is_search_model(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.starts_with("sonar")
}

/// Researches the last question of a conversation.
pub(super) async fn answer(gateway: &Gateway, request: &ClientRequest) -> Response {
    let identity = identity(request);
    match ask(gateway, request).await {
        Err(error) => refused(&error, openai::error_body),
        Ok(researched) if request.stream => {
            let chunk = body(&identity, &researched, "chat.completion.chunk");
            let headers = [("content-type", "text/event-stream"), ("cache-control", "no-cache")];
            (headers, format!("data: {chunk}\n\ndata: [DONE]\n\n")).into_response()
        }
        Ok(researched) => {
            json_body(&body(&identity, &researched, "chat.completion")).into_response()
        }
    }
}

/// Nothing to search in.
pub(super) fn no_sources() -> ClientError {
    let message = "an answer with sources needs a knowledge base: make one with \
                   `task-master kb add`";
    ClientError::Unsupported { message: message.to_owned() }
}

async fn ask(gateway: &Gateway, request: &ClientRequest) -> Result<Researched, ClientError> {
    let library = library(gateway.knowledge.as_deref())?;
    let (query, earlier) = conversation(&request.messages);
    if query.is_empty() {
        return Err(ClientError::invalid("there is no question"));
    }
    let question = Research {
        query,
        earlier,
        documents: Documents { libraries: vec![library], abstains: true },
        ..Research::default()
    };
    let asking = Asking {
        backend: &*gateway.backend,
        language: "English",
        timeout: gateway.timeout,
        observer: &|_| (),
    };
    research(asking, &[], &question).await.map_err(|error| match error {
        AskError::Text(error) | AskError::Object(StructuredError::Backend(error)) => error.into(),
        error @ (AskError::Object(_) | AskError::Documents(_) | AskError::Prompt(_)) => {
            ClientError::Failed { message: error.to_string() }
        }
    })
}

/// Opened for each question, so that it is answered from what is known by then.
fn library(file: Option<&Path>) -> Result<Library, ClientError> {
    match file.map(Index::open) {
        None | Some(Err(IndexError::Missing { .. })) => Err(no_sources()),
        Some(Ok(index)) => Ok(Library::new(index)),
        Some(Err(error)) => Err(ClientError::Failed { message: error.to_string() }),
    }
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

/// A whole answer and the only chunk of a stream have the same members.
fn body(identity: &Identity, researched: &Researched, object: &str) -> Value {
    let citations = researched.cited.as_ref().map_or(&[][..], |it| &it.citations[..]);
    let urls: Vec<String> = citations.iter().map(url).collect();
    let results: Vec<Value> =
        citations.iter().zip(&urls).map(|(it, url)| result(it, url)).collect();
    let message = json!({"role": "assistant", "content": researched.answer});
    json!({
        "id": identity.id,
        "model": identity.model,
        "created": identity.created,
        "object": object,
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": message, "delta": message}
        ],
        "citations": urls,
        "search_results": results,
        "usage": usage(researched.usage, researched),
    })
}

fn result(citation: &Citation, url: &str) -> Value {
    let quotes: Vec<&str> = citation.quotes.iter().map(|it| it.text.as_str()).collect();
    json!({
        "title": citation.title, "url": url, "date": null, "last_updated": null,
        "snippet": quotes.join(" … "), "source": "attachment",
    })
}

fn usage(usage: Usage, researched: &Researched) -> Value {
    let searches = researched
        .cited
        .as_ref()
        .map_or(0, |it| it.rounds.iter().map(|round| round.questions.len()).sum::<usize>());
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "num_search_queries": searches,
        "cost": {"input_tokens_cost": 0, "output_tokens_cost": 0, "total_cost": 0},
    })
}

/// The file and the lines, as a browser of this machine opens them.
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
    format!("file://{escaped}#L{}-L{}", citation.first_line, citation.last_line)
}
