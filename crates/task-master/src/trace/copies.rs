//! Records for somebody who comes for them from time to time, and may come late.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Record;

/// So many wait at most; then the oldest are lost.
const WAITING_MOST: usize = 2048;

/// What was kept since somebody came.
#[derive(Debug, Default)]
pub struct Copies {
    waiting: Mutex<VecDeque<Record>>,
}

impl Copies {
    pub(super) fn push(&self, record: Record) {
        let mut waiting = self.waiting();
        if waiting.len() == WAITING_MOST {
            waiting.pop_front();
        }
        waiting.push_back(record);
    }

    /// The oldest ones.
    pub fn take(&self, most: usize) -> Vec<Record> {
        let mut waiting = self.waiting();
        let most = most.min(waiting.len());
        waiting.drain(..most).collect()
    }

    /// Those that were taken in vain, as far as there is room.
    pub fn put_back(&self, records: Vec<Record>) {
        let mut waiting = self.waiting();
        for record in records.into_iter().rev() {
            if waiting.len() < WAITING_MOST {
                waiting.push_front(record);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Record>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
