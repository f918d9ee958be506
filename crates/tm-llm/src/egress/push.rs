//! Something that is sent to one server from time to time, and that nobody waits for.
//!
//! The server must be local, whatever else may be reached: see [`guard`](super::guard). Nothing is
//! tried twice here. Start at [`Push::new`].

use std::time::Duration;

use reqwest::{Client, StatusCode};

use super::{
    EgressError,
    guard::{Guard, NotLocal, OnBlocked},
    read_up_to, root_cause, without_secrets,
};

/// Nobody waits for it, but what is sent is to end before it is sent again.
const TIMEOUT: Duration = Duration::from_secs(10);
/// As much as is read of what a server says.
const ANSWER_BYTES: usize = 4096;

/// The way to one server.
#[derive(Debug, Clone)]
pub struct Push {
    client: Client,
    url: String,
    /// They may be secrets.
    headers: Vec<(String, String)>,
}

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error(transparent)]
    NotLocal(#[from] NotLocal),
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error("{url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("{url} answers with the status {status}: {reason}")]
    Refused { url: String, status: u16, reason: String },
}

impl Push {
    /// # Errors
    /// [`PushError::NotLocal`] for a host that is neither loopback nor listed, which is told as
    /// well; [`PushError::Egress`].
    pub fn new(
        guard: &Guard,
        on_blocked: OnBlocked,
        url: String,
        headers: Vec<(String, String)>,
    ) -> Result<Self, PushError> {
        guard.check(&url).inspect_err(|refused| on_blocked(&refused.host))?;
        let client = guard.client_telling(on_blocked)?;
        Ok(Self { client, url, headers })
    }

    /// Where it goes, without a password.
    pub fn url(&self) -> String {
        without_secrets(&self.url)
    }

    /// Sends it, once.
    ///
    /// # Errors
    /// [`PushError::Unreachable`] and [`PushError::Refused`].
    pub async fn send(&self, kind: &str, body: Vec<u8>) -> Result<(), PushError> {
        let mut request = self.client.post(&self.url).timeout(TIMEOUT).body(body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let sent = request.header("content-type", kind).send().await;
        let response = sent.map_err(|error| PushError::Unreachable {
            url: self.url(),
            reason: root_cause(&error),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let reason = read_up_to(response, ANSWER_BYTES).await;
        let printable = reason.chars().filter(|it| !it.is_control()).take(200).collect();
        Err(PushError::Refused { url: self.url(), status: status.as_u16(), reason: printable })
    }
}

impl PushError {
    /// Whether the same may be taken later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NotLocal(_) | Self::Egress(_) => false,
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => [
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::BAD_GATEWAY,
                StatusCode::SERVICE_UNAVAILABLE,
                StatusCode::GATEWAY_TIMEOUT,
            ]
            .iter()
            .any(|it| it.as_u16() == *status),
        }
    }
}
