//! Errors in the shape of the protocol that whoever asks speaks, wherever they were found.
//!
//! What the endpoints refuse has that shape already. What was refused before one was reached has
//! none, and Anthropic's clients are told the name of the request as well.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::Value;
use tm_llm::dialect::serve::{ClientError, anthropic, ollama, openai};

use super::ErrorBody;

/// How whoever asks reads errors.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) error_body: ErrorBody,
    is_anthropic: bool,
    /// What is asked for where.
    place: String,
}

impl Shape {
    pub(super) fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let is_anthropic = request.headers().contains_key("anthropic-version");
        let within = path.strip_prefix("/v1").unwrap_or(path);
        let is_anthropic = is_anthropic || within.starts_with("/messages");
        let error_body = match within {
            _ if is_anthropic => anthropic::error_body,
            path if path.starts_with("/api/") => ollama::error_body,
            _ => openai::error_body,
        };
        Self { error_body, is_anthropic, place: format!("{} {path}", request.method()) }
    }

    /// The response as its reader expects it, with the name that the request has.
    pub(super) fn told(&self, mut response: Response, id: &str) -> Response {
        if self.is_anthropic
            && let Ok(id) = HeaderValue::from_str(id)
        {
            response.headers_mut().insert(HeaderName::from_static("request-id"), id);
        }
        let status = response.status();
        let known = response.extensions().get::<ClientError>().cloned();
        let error = match known {
            Some(error) if self.is_anthropic => error,
            None if status.is_client_error() => self.refused(status),
            Some(_) | None => return response,
        };
        let mut body = (self.error_body)(&error);
        if self.is_anthropic {
            if let Some(body) = body.as_object_mut() {
                body.insert("request_id".to_owned(), Value::from(id));
            }
            if let (true, Ok(status)) =
                (status.is_server_error(), StatusCode::from_u16(anthropic::status(&error)))
            {
                *response.status_mut() = status;
            }
        }
        *response.body_mut() = Body::from(body.to_string());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.remove(header::CONTENT_LENGTH);
        response
    }

    /// What was refused before an endpoint was reached.
    fn refused(&self, status: StatusCode) -> ClientError {
        let place = &self.place;
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => ClientError::TooLarge,
            StatusCode::NOT_FOUND => {
                ClientError::NoEndpoint { message: format!("there is nothing at {place}") }
            }
            other => ClientError::invalid(format!(
                "{place}: {}",
                other.canonical_reason().unwrap_or("this cannot be read").to_lowercase()
            )),
        }
    }
}
