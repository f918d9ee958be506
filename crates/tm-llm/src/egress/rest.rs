//! Questions to one server that answers with JSON, such as a database beside this program.
//!
//! The server must be local, whatever else may be reached: see [`guard`](super::guard). Nothing is
//! tried twice here, and what the answers mean is for whoever asks. Start at [`Rest::new`].

use std::{fmt, time::Duration};

use reqwest::{
    Client, RequestBuilder, Response, Url,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::Value;

use super::{
    EgressError,
    guard::{Guard, NotLocal, OnBlocked},
    root_cause, without_secrets,
};

/// As much as is read of an answer.
const ANSWER_BYTES: usize = 64 << 20;

/// The way to one server.
#[derive(Clone)]
pub struct Rest {
    client: Client,
    base: String,
    /// A header with a secret in it.
    key: Option<(&'static str, HeaderValue)>,
    timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    #[error("that is no address of a server")]
    NoAddress,
    #[error("the key has characters that no key can have")]
    Key,
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
    #[error("{url} answers with more than {ANSWER_BYTES} bytes")]
    Endless { url: String },
}

impl Rest {
    /// # Errors
    /// [`RestError::NoAddress`] and [`RestError::Key`]; [`RestError::NotLocal`] for a host that is
    /// neither loopback nor listed, which is told as well; [`RestError::Egress`].
    pub fn new(
        guard: &Guard,
        on_blocked: OnBlocked,
        base: &str,
        key: Option<(&'static str, String)>,
        timeout: Duration,
    ) -> Result<Self, RestError> {
        let is_address = |it: Url| it.has_host() && ["http", "https"].contains(&it.scheme());
        // It is not repeated: a password may be in it.
        if !Url::parse(base).is_ok_and(is_address) {
            return Err(RestError::NoAddress);
        }
        let secret = |(name, key): (&'static str, String)| {
            let mut key = HeaderValue::try_from(key).map_err(|_| RestError::Key)?;
            key.set_sensitive(true);
            Ok::<_, RestError>((name, key))
        };
        let key = key.map(secret).transpose()?;
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
    pub async fn delete(&self, path: &str) -> Result<Value, RestError> {
        self.ask(self.client.delete(format!("{}{path}", self.base))).await
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
        let response = sent.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let said = self.read(response).await?;
        if !status.is_success() {
            let said = String::from_utf8_lossy(&said);
            let reason = said.chars().filter(|it| !it.is_control()).take(200).collect();
            return Err(RestError::Refused { url: self.url(), status: status.as_u16(), reason });
        }
        serde_json::from_slice(&said).map_err(|_| RestError::NotJson { url: self.url() })
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, RestError> {
        let mut said = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            said.extend_from_slice(&piece);
            if said.len() > ANSWER_BYTES {
                return Err(RestError::Endless { url: self.url() });
            }
        }
        Ok(said)
    }

    fn unreachable(&self, error: &reqwest::Error) -> RestError {
        RestError::Unreachable { url: self.url(), reason: root_cause(error) }
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
