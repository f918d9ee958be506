//! How long a model may say nothing while somebody else could answer.
//!
//! A server that hangs looks like one that reads a long prompt. Both get the time that reading takes
//! on a slow processor, and as long as others need who came before; a server that says itself that
//! it loads its model gets more, and one that has never said a word gets longer each time that it
//! was given up. Who is alone is waited for. Start at [`Inner::listen`].

use std::{
    pin::pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{self, Either},
};
use tokio::time::{Instant, timeout};

use super::{Inner, breaker::Standing, seat::Seat};
use crate::backend::BackendError;

impl Inner {
    /// What comes, unless nothing does for longer than `patience` while somebody else could answer.
    pub(super) async fn listen<T>(
        &self,
        seat: &Arc<Seat>,
        patience: Duration,
        coming: impl Future<Output = T>,
    ) -> Result<T, BackendError> {
        let mut coming = pin!(coming);
        // What is there already needs no clock.
        if let Some(come) = coming.as_mut().now_or_never() {
            return Ok(come);
        }
        let (begun, step) = (Instant::now(), self.least_silence());
        loop {
            let left = patience.saturating_sub(begun.elapsed());
            let left = if left.is_zero() { step } else { left.min(step) };
            if let Ok(come) = timeout(left, coming.as_mut()).await {
                return Ok(come);
            }
            // Somebody else may have waited for it in vain meanwhile.
            let waited = begun.elapsed();
            let is_late = waited >= patience || seat.has_been_silent_since(begun.into_std());
            // A queue elsewhere is better only than a silence that goes on.
            let may_queue = waited >= patience.saturating_add(step);
            if !is_late || !self.has_others(seat, may_queue) {
                continue;
            }
            // It takes a moment to find out, in which the answer may come.
            match future::select(coming.as_mut(), pin!(seat.is_at_work(waited))).await {
                Either::Left((come, _)) => return Ok(come),
                Either::Right((true, _)) => {}
                Either::Right((false, _)) => {
                    seat.fell_silent(begun.into_std(), Instant::now().into_std());
                    return Err(silent(seat, waited));
                }
            }
        }
    }

    /// See [`Rounds::silence`](super::Rounds::silence).
    pub(super) fn least_silence(&self) -> Duration {
        *self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody else is well, and has a place free unless that may be waited for.
    fn has_others(&self, seat: &Arc<Seat>, may_queue: bool) -> bool {
        let now = Instant::now().into_std();
        let mut others = self.seats.iter().map(|it| &it.seat).filter(|it| !Arc::ptr_eq(it, seat));
        others.any(|it| it.standing(now) == Standing::Well && (may_queue || !it.is_full()))
    }
}

fn silent(seat: &Seat, waited: Duration) -> BackendError {
    let reason = format!("it said nothing for {:.1} s", waited.as_secs_f64());
    BackendError::Broken { model: seat.name.clone(), reason }
}
