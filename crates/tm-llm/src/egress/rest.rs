//! Questions to one server that answers with JSON, such as a database beside this program.
//!
//! The server must be local, whatever else may be reached: see [`guard`](super::guard). Nothing is
//! tried twice here, and what the answers mean is for whoever asks. Start at [`Rest::new`].

use std::{fmt, time::Duration};

use reqwest::{Client, RequestBuilder, header::CONTENT_TYPE};
use serde_json::Value;

use super::{
    EgressError,
    guard::{Guard, NotLocal, OnBlocked},
    read_up_to, root_cause, without_secrets,
};

/// As much as is read of an answer.
const ANSWER_BYTES: usize = 64 << 20;

/// The way to one server.
#[derive(Clone)]
pub struct Rest {
    client: Client,
    base: String,
    /// A header with a secret in it.
    key: Option<(&'static str, String)>,
    timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    #[error(transparent)]
    NotLocal(#[from] NotLocal),
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error("{url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("{url} answers with the status {status}: {reason}")]
    Refused { url: String, status: u16, reason: String },
    #[error("{url} does not answer with JSON")]
    NotJson { url: String },
}

impl Rest {
    /// # Errors
    /// [`RestError::NotLocal`] for a host that is neither loopback nor listed, which is told as
    /// well; [`RestError::Egress`].
    pub fn new(
        guard: &Guard,
        on_blocked: OnBlocked,
        base: &str,
        key: Option<(&'static str, String)>,
        timeout: Duration,
    ) -> Result<Self, RestError> {
        guard.check(base).inspect_err(|refused| on_blocked(&refused.host))?;
        let client = guard.client_telling(on_blocked)?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), key, timeout })
    }

    /// Where it is, without a password.
    pub fn url(&self) -> String {
        without_secrets(&self.base)
    }

    /// # Errors
    /// [`RestError::Unreachable`], [`RestError::Refused`] and [`RestError::NotJson`].
    pub async fn get(&self, path: &str) -> Result<Value, RestError> {
        self.ask(self.client.get(format!("{}{path}", self.base))).await
    }

    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, RestError> {
        self.ask(with(self.client.post(format!("{}{path}", self.base)), body)).await
    }

    /// # Errors
    /// As [`Self::get`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, RestError> {
        self.ask(with(self.client.put(format!("{}{path}", self.base)), body)).await
    }

    async fn ask(&self, mut request: RequestBuilder) -> Result<Value, RestError> {
        if let Some((name, secret)) = &self.key {
            request = request.header(*name, secret);
        }
        let sent = request.timeout(self.timeout).send().await;
        let response = sent.map_err(|error| RestError::Unreachable {
            url: self.url(),
            reason: root_cause(&error),
        })?;
        let status = response.status();
        let said = read_up_to(response, ANSWER_BYTES).await;
        if !status.is_success() {
            let reason = said.chars().filter(|it| !it.is_control()).take(200).collect();
            return Err(RestError::Refused { url: self.url(), status: status.as_u16(), reason });
        }
        serde_json::from_str(&said).map_err(|_| RestError::NotJson { url: self.url() })
    }
}

fn with(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json").body(body.to_string())
}

impl fmt::Debug for Rest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rest").field("url", &self.url()).finish_non_exhaustive()
    }
}
