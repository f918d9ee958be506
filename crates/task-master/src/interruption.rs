//! Ctrl-C, and what a service manager sends: heard from the moment that work begins.
//!
//! A signal that comes before anybody listens ends the process, and what it has started works on.
//! So everything here listens when it is called, and not only when it is waited for. What becomes
//! of the work is its callers' business. Start at [`interruptible`].

use std::{
    future::pending,
    task::{Context, Waker},
};

use tokio::runtime;

use crate::report::Interrupted;

/// Waits for work, unless the user stops it, who is told the `state` of things.
pub fn interruptible<T>(
    state: &'static str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let interrupted = interruption();
        tokio::select! {
            // What was done since, and what the same signal made fail, is not looked at.
            biased;
            () = interrupted => Err(Interrupted { state }.into()),
            value = work => value,
        }
    })
}

/// Waits for Ctrl-C, which from now on does not end the process. Called in a runtime.
pub fn interruption() -> impl Future<Output = ()> + Unpin {
    let mut signal = Box::pin(tokio::signal::ctrl_c());
    // It listens once it has been asked; who asks first is nobody to be woken.
    let answer = signal.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    Box::pin(async move {
        // Where nothing can listen, the system ends the process as ever.
        if answer.is_pending() && signal.await.is_ok() {
            return;
        }
        pending::<()>().await;
    })
}

/// Waits for Ctrl-C or, where there is one, a termination signal. Called in a runtime.
pub fn told_to_stop() -> impl Future<Output = ()> {
    let interrupted = interruption();
    #[cfg(unix)]
    let terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    async move {
        #[cfg(unix)]
        if let Ok(mut terminated) = terminated {
            tokio::select! {
                () = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
        interrupted.await;
    }
}
