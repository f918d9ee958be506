//! Many tags at once: a large file is read and written by two threads.
//!
//! What is done with the tags is not known here. Start at [`in_halves`].

use std::thread;

/// Fewer items are not worth a thread.
const MANY: usize = 8;

/// Works on both halves of the items at the same time, and returns what came of them in order.
pub(super) fn in_halves<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    if items.len() < MANY {
        return vec![work(items)];
    }
    let (first, second) = items.split_at(items.len() / 2);
    thread::scope(|scope| {
        let beside = thread::Builder::new().spawn_scoped(scope, || work(second));
        let first = work(first);
        let beside = beside.ok().and_then(|it| it.join().ok());
        // A machine that has no thread to spare gets there, too.
        vec![first, beside.unwrap_or_else(|| work(second))]
    })
}
