//! Things done at the same time. Start at [`map`].

use std::{
    iter,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What `look` makes of each item, in their order, on as many threads as there are processors.
pub fn map<T: Sync, R: Send>(items: &[T], look: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    // Some items take longer than others, so each thread takes another one when it is done.
    let work = || {
        let take = || {
            let index = next.fetch_add(1, Ordering::Relaxed);
            Some((index, look(items.get(index)?)))
        };
        iter::from_fn(take).collect::<Vec<_>>()
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let mut found = thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let beside: Vec<_> = (1..threads).filter_map(start).collect();
        let mut found = work();
        for thread in beside {
            found.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        found
    });
    found.sort_unstable_by_key(|it| it.0);
    found.into_iter().map(|it| it.1).collect()
}

/// What both of them make: `beside` on a thread of its own, where one can be had.
pub fn both<A, B: Send>(here: impl FnOnce() -> A, beside: impl Fn() -> B + Sync) -> (A, B) {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, &beside).ok();
        let made = here();
        let joined = thread.map(|it| it.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (made, joined.unwrap_or_else(&beside))
    })
}

#[cfg(test)]
mod tests;
