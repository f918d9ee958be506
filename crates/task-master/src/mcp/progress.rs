//! What a client hears while a long call is under way.
//!
//! Workflows say what they do as it happens; clients that gave a token are told, and are told that
//! work goes on where there is nothing to say, so that their patience does not end before the
//! work does. Progress is counted in seconds: how much is left is not known.

use std::time::{Duration, Instant};

use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::Peer,
};
use tokio::sync::mpsc;

/// A client hears something at least this often.
pub(super) const BEAT: Duration = Duration::from_secs(5);

/// More than this is not kept for a client that does not listen.
const WAITING_MAX: usize = 64;

/// Where work says what it does.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    steps: mpsc::Sender<String>,
}

/// The client that is told.
#[derive(Debug)]
pub(super) struct Listener {
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
    started: Instant,
    last: String,
}

pub(super) fn channel() -> (Teller, mpsc::Receiver<String>) {
    let (steps, told) = mpsc::channel(WAITING_MAX);
    (Teller { steps }, told)
}

impl Teller {
    /// Says what is done now; never waits, so some of much may be lost.
    pub(super) fn tell(&self, step: impl Into<String>) {
        drop(self.steps.try_send(step.into()));
    }
}

impl Listener {
    pub(super) fn new(peer: Peer<RoleServer>, token: Option<ProgressToken>) -> Self {
        Self { peer, token, started: Instant::now(), last: "working".to_owned() }
    }

    pub(super) async fn hear(&mut self, step: String) {
        self.last = step;
        self.beat().await;
    }

    /// Says again what was said last: work goes on.
    pub(super) async fn beat(&self) {
        let Some(token) = self.token.clone() else { return };
        let seconds = self.started.elapsed().as_secs_f64();
        let progress = ProgressNotificationParam::new(token, seconds).with_message(&self.last);
        // Who has gone away hears nothing.
        drop(self.peer.notify_progress(progress).await);
    }

    /// Says that it is done.
    pub(super) async fn done(&self) {
        let Some(token) = self.token.clone() else { return };
        let seconds = self.started.elapsed().as_secs_f64();
        let progress =
            ProgressNotificationParam::new(token, seconds).with_total(seconds).with_message("done");
        drop(self.peer.notify_progress(progress).await);
    }
}
