//! Changes of files, as the system tells of them while a command goes on.
//!
//! That something changed is all that is told: what it was is found out by reading. What is
//! watched, and what is done then, are the command's business. Start at [`watcher`].

use std::{path::Path, time::Duration};

use notify::{Event, EventKind, RecommendedWatcher};
use tokio::{sync::mpsc, time};

/// A file that is written in several steps is read when it is quiet for a while, but not later
/// than after so many of them.
const QUIET_TRIES: u32 = 20;

/// That something has changed.
#[derive(Debug)]
pub(super) struct Changes(mpsc::Receiver<()>);

/// A watcher, and what it tells of the paths that concern the caller.
pub(super) fn watcher(
    concerns: impl Fn(&Path) -> bool + Send + 'static,
) -> notify::Result<(RecommendedWatcher, Changes)> {
    // One is enough: what happened is found out by reading.
    let (sender, changes) = mpsc::channel(1);
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.as_ref().is_ok_and(|it| !may_change(it, &concerns)) {
            return;
        }
        // A full channel says the same already.
        sender.try_send(()).ok();
    })?;
    Ok((watcher, Changes(changes)))
}

impl Changes {
    /// Waits for a change, and until nothing has happened for as long as `quiet`. Nothing when the
    /// watcher has ended.
    pub(super) async fn next(&mut self, quiet: Duration) -> Option<()> {
        self.0.recv().await?;
        for _ in 0..QUIET_TRIES {
            time::sleep(quiet).await;
            if self.0.try_recv().is_err() {
                break;
            }
        }
        Some(())
    }
}

/// Reading is an event, too, and must not lead to reading again.
fn may_change(event: &Event, concerns: impl Fn(&Path) -> bool) -> bool {
    let is_change = match event.kind {
        EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    is_change && (event.paths.is_empty() || event.paths.iter().any(|it| concerns(it)))
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, ModifyKind, RemoveKind};

    use super::*;

    #[test]
    fn only_what_may_change_a_file_that_matters_is_told() {
        #[track_caller]
        fn check(kind: EventKind, path: &str, expected: bool) {
            let event = Event::new(kind).add_path(path.into());
            let file = Path::new("/p/.taskmaster/tasks/tasks.json");
            assert_eq!(may_change(&event, |it| file.starts_with(it)), expected);
        }
        let modified = EventKind::Modify(ModifyKind::Any);
        check(modified, "/p/.taskmaster/tasks/tasks.json", true);
        check(EventKind::Remove(RemoveKind::Any), "/p/.taskmaster/tasks", true);
        check(EventKind::Create(CreateKind::Any), "/p/.taskmaster", true);
        check(modified, "/p/.taskmaster/tasks/.tasks.json.task-master-tmp", false);
        check(modified, "/p/.taskmaster/state.json", false);
        check(EventKind::Access(AccessKind::Any), "/p/.taskmaster/tasks/tasks.json", false);
    }
}
