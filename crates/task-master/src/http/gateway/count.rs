//! What becomes of a request, for the metrics and for its trace.
//!
//! Counted until it is dropped: a request that nobody has said the end of is one whose client has
//! left.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tm_llm::{
    chat::Usage,
    dialect::serve::ClientError,
    failover::{OnStep, Step},
    rollout::Outcome,
};

use super::{Door, Gateway, cached::Lookup, client::Client, routing::Routed};
use crate::trace::{Caller, Via, Watcher};

/// One request that is counted.
pub(super) struct Count {
    pub(super) gateway: Arc<Gateway>,
    watcher: Arc<Watcher>,
    door: Door,
    /// The role that answers.
    route: &'static str,
    routed: Option<Arc<Routed>>,
    pub(super) begun: Instant,
    has_text: bool,
    /// The client left when nothing else is said.
    status: u16,
}

impl Count {
    pub(super) fn begin(client: &Client, door: Door, model: &str) -> Self {
        let gateway = Arc::clone(&client.gateway);
        gateway.metrics.begun();
        let name = door.name.to_owned();
        let caller = Caller { via: Via::Gateway, name, ..Caller::default() };
        let watcher = Watcher::begin(&gateway.trace, &caller, client.request_id.clone());
        watcher.asked_for(model);
        let begun = Instant::now();
        let (routed, has_text, status) = (None, false, 499);
        Self { gateway, watcher, door, route: "", routed, begun, has_text, status }
    }

    /// The models that answer to a name; a request that there are none for has ended.
    pub(super) async fn route(
        &mut self,
        client: &Client,
        model: &str,
        conversation: Option<u64>,
    ) -> Result<Arc<Routed>, ClientError> {
        let routed = client.route(model, conversation, self.on_step("chat")).await.map(Arc::new);
        match &routed {
            Ok(routed) => {
                self.plays(routed.role.as_str());
                self.routed = Some(Arc::clone(routed));
            }
            Err(error) => self.end(Err(error)),
        }
        routed
    }

    /// What the outcome says of models on trial; a client that erred or left says nothing.
    fn tried(&self, took: Duration) {
        let Some(routed) = self.routed.as_ref().filter(|it| it.was_asked()) else { return };
        let (Some(chosen), Some(live)) = (&routed.chosen, &self.gateway.rollout) else { return };
        if self.status != 200 && self.status < 500 {
            return;
        }
        let is_good = self.status == 200 && routed.is_as_wanted();
        self.gateway.metrics.tried(chosen, is_good);
        let outcome = Outcome { id: self.watcher.id(), is_good, took };
        if let Some(decision) = live.ended(chosen, outcome) {
            let live = Arc::clone(live);
            self.gateway.background.spawn_blocking(move || live.write(decision));
        }
    }

    /// Takes note of what is done about the request.
    pub(super) fn on_step(&self, operation: &'static str) -> OnStep {
        let (watcher, metrics) = (Arc::clone(&self.watcher), Arc::clone(&self.gateway.metrics));
        Arc::new(move |step| {
            if let Step::Ended(attempt) = step {
                metrics.attempted(operation, attempt);
            }
            watcher.step(step);
        })
    }

    /// The role that answers.
    pub(super) fn plays(&mut self, role: &'static str) {
        self.route = role;
        self.watcher.note(|it| it.role = Some(role.to_owned()));
    }

    pub(super) fn looked_up(&self, lookup: &Lookup) {
        self.watcher.note(|it| {
            it.cache = Some(lookup.word().to_owned());
            if let Lookup::Hit { by } = lookup {
                it.backend = Some(by.clone()).filter(|it| !it.is_empty());
            }
        });
    }

    pub(super) fn saw_text(&mut self) {
        if !self.has_text {
            self.has_text = true;
            self.gateway.metrics.first_text(self.begun.elapsed());
            self.watcher.spoke();
        }
    }

    pub(super) fn end(&mut self, usage: Result<Usage, &ClientError>) {
        self.status = match &usage {
            Ok(usage) => {
                self.gateway.metrics.used(usage);
                200
            }
            Err(error) => error.status(),
        };
        self.watcher.told(self.status, usage.as_ref().map_err(|it| *it));
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        let took: Duration = self.begun.elapsed();
        self.tried(took);
        self.gateway.metrics.ended((self.door.name, self.route), self.status, took);
    }
}
