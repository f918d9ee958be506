//! How the gateway stands at the moment it is looked at: its queues, what it could not keep, what has
//! left this machine, and what its process takes.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

/// What is known only when somebody asks for it.
#[derive(Debug, Default)]
pub struct Now {
    /// Requests that wait for a place at a model, by role.
    pub waiting: Vec<(&'static str, u32)>,
    pub cache_failures: u64,
    /// Requests to providers, and those that were stopped.
    pub external: [u64; 2],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queue {
    route: &'static str,
}

/// The metrics of that.
pub(super) struct State {
    waiting: Family<Queue, Gauge>,
    cache_failures: Counter,
    sent: Counter,
    blocked: Counter,
    memory: Gauge,
    cpu: Counter<f64, AtomicU64>,
    open_files: Gauge,
}

impl State {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let state = Self {
            waiting: Family::default(),
            cache_failures: Counter::default(),
            sent: Counter::default(),
            blocked: Counter::default(),
            memory: Gauge::default(),
            cpu: Counter::default(),
            open_files: Gauge::default(),
        };
        let counters = [
            (
                "gateway_cache_failures",
                "Times that the place where answers are kept did not do what it was asked",
                &state.cache_failures,
            ),
            ("gateway_external_requests", "Requests that were sent to a provider", &state.sent),
            (
                "gateway_external_blocked",
                "Requests that would have left this machine, and were not sent",
                &state.blocked,
            ),
        ];
        for (name, what, counter) in counters {
            registry.register(name, what, Counter::clone(counter));
        }
        let what = "Requests that wait for a place at a model of the role";
        registry.register("gateway_queue_length", what, Family::clone(&state.waiting));
        let what = "Memory of this process";
        registry.register_with_unit(
            "process_resident_memory",
            what,
            Unit::Bytes,
            Gauge::clone(&state.memory),
        );
        let what = "Processor time of this process";
        registry.register_with_unit("process_cpu", what, Unit::Seconds, Counter::clone(&state.cpu));
        registry.register(
            "process_open_fds",
            "Files and connections that this process has open",
            Gauge::clone(&state.open_files),
        );
        state
    }

    pub(super) fn is(&self, now: &Now) {
        for (route, waiting) in &now.waiting {
            self.waiting.get_or_create(&Queue { route }).set(i64::from(*waiting));
        }
        let [sent, blocked] = now.external;
        for (counter, count) in [
            (&self.cache_failures, now.cache_failures),
            (&self.sent, sent),
            (&self.blocked, blocked),
        ] {
            counter.inner().store(count, Ordering::Relaxed);
        }
        self.process();
    }

    /// What the system does not say stays as it was.
    fn process(&self) {
        let (Ok(mut system), Ok(pid)) = (System::new(), get_current_pid()) else { return };
        let what = ProcessRefreshKind::nothing().with_memory().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        let Some(process) = system.process(pid) else { return };
        self.memory.set(i64::try_from(process.memory()).unwrap_or(i64::MAX));
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a lifetime are exact")]
        let seconds = process.accumulated_cpu_time() as f64 / 1000.0;
        self.cpu.inner().store(seconds.to_bits(), Ordering::Relaxed);
        if let Some(open) = process.open_files() {
            self.open_files.set(i64::try_from(open).unwrap_or(i64::MAX));
        }
    }
}
