//! A task that wakes itself goes on at once, and nobody else is woken to take it.
//!
//! A connection is told by its own parts that a body is wanted, or that an answer is there, while it
//! is about to find out. The runtime takes that for new work: it puts the task at the end of its
//! queue, and wakes another thread, which finds nothing to do. On a machine whose cores sleep between
//! requests that costs as much as the rest of the request.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::task::AtomicWaker;

/// So often it goes on at once; then others have their turn.
const MOST: u32 = 8;

/// A future that is polled again if it was woken meanwhile.
pub(super) struct Unhurried<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Wakes the task, unless it runs.
#[derive(Debug, Default)]
struct Bell {
    task: AtomicWaker,
    runs: AtomicBool,
    has_rung: AtomicBool,
}

impl<F> Unhurried<F> {
    pub(super) fn new(future: F) -> Self {
        let bell = Arc::new(Bell::default());
        Self { future: Box::pin(future), waker: Arc::clone(&bell).into(), bell }
    }
}

impl<F: Future> Future for Unhurried<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.bell.task.register(context.waker());
        for _ in 0..MOST {
            this.bell.runs.store(true, Ordering::SeqCst);
            this.bell.has_rung.store(false, Ordering::SeqCst);
            let polled = this.future.as_mut().poll(&mut Context::from_waker(&this.waker));
            this.bell.runs.store(false, Ordering::SeqCst);
            // Whoever rings after this wakes the task.
            if polled.is_ready() || !this.bell.has_rung.swap(false, Ordering::SeqCst) {
                return polled;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::SeqCst);
        if !self.runs.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests;
