//! Whose turn it is: which model is asked next, and who waits until one has room.
//!
//! Those who wait are taken in the order in which they came. Start at [`Inner::turn`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{
    Candidate, Inner,
    breaker::Standing,
    load::Question,
    seat::{NoTurn, Seat, Turn},
};
use crate::backend::BackendError;

/// How many questions wait for each one that is being answered.
const WAITING_EACH: u32 = 8;

/// A place may come free without a word, when a model has rested.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Inner {
    /// A place at the best model that was not tried yet; none when there is no such model.
    ///
    /// # Errors
    /// [`BackendError::Busy`] when too many wait for one, [`BackendError::DeadlineExceeded`].
    pub(super) async fn turn(
        &self,
        tried: &[Arc<Seat>],
        question: Question,
        deadline: Instant,
    ) -> Result<Option<Turn>, BackendError> {
        let (mut waiting, begun) = (None, Instant::now());
        loop {
            let freed = self.freed.notified();
            let Some((best, standing)) = self.best(tried, question) else { return Ok(None) };
            let is_first = waiting.is_some() || self.waiting.load(Ordering::Relaxed) == 0;
            if is_first {
                match best.seat.begin(question, standing, &self.freed) {
                    Ok(turn) => return Ok(Some(turn.queued(begun.elapsed()))),
                    Err(NoTurn::Worse) => continue,
                    Err(NoTurn::Full) => {}
                }
            }
            let model = || best.seat.name.clone();
            if waiting.is_none() {
                waiting =
                    Some(Waiting::join(&self.waiting, self.most_waiting()).ok_or_else(|| {
                        BackendError::Busy {
                            model: model(),
                            retry_after: Some(Duration::from_secs_f64(
                                best.seat.finish_s(question).clamp(1.0, 60.0),
                            )),
                        }
                    })?);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(BackendError::DeadlineExceeded { model: model() });
            }
            // Whether it came free or not is seen above.
            drop(timeout(left.min(LOOK_AGAIN), freed).await);
        }
    }

    fn most_waiting(&self) -> u32 {
        let places = self.seats.iter().map(|it| it.seat.limit());
        places.fold(0, u32::saturating_add).saturating_mul(WAITING_EACH)
    }

    /// Who is to be asked: who may be, then who is wanted most, then who has a place, then who is
    /// predicted to be done first; and how well they are.
    fn best(&self, tried: &[Arc<Seat>], question: Question) -> Option<(&Candidate, Standing)> {
        let now = Instant::now();
        let left =
            self.seats.iter().filter(|it| !tried.iter().any(|seat| Arc::ptr_eq(seat, &it.seat)));
        let ranked = left.filter_map(|it| {
            let standing = it.seat.standing(now);
            // Whoever has rested is as good as well, for one question.
            let as_good_as = match standing {
                Standing::Rested => Standing::Well,
                Standing::Well | Standing::Resting | Standing::Excluded => standing,
            };
            let key = (as_good_as, it.rank, it.seat.is_full());
            let may_be = standing != Standing::Excluded;
            may_be.then(|| (key, it.seat.finish_s(question), (it, standing)))
        });
        let order = |left: &(_, f64, _), right: &(_, f64, _)| {
            let (left_key, left_s, _): &((Standing, u32, bool), f64, (&Candidate, _)) = left;
            let (right_key, right_s, _) = right;
            left_key.cmp(right_key).then(left_s.total_cmp(right_s))
        };
        ranked.min_by(order).map(|(_, _, it)| it)
    }
}

/// Somebody who waits for a place, counted until it is dropped.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    /// None when so many wait already.
    fn join(count: &'a AtomicU32, most: u32) -> Option<Self> {
        let before = count.fetch_add(1, Ordering::Relaxed);
        let joined = Self(count);
        (before < most).then_some(joined)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
