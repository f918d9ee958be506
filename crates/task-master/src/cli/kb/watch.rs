//! `kb watch`: sources are read again whenever something in them changes, until Ctrl-C.
//!
//! What changed is found out by reading: a change only says that there is something to do. What is
//! hidden is not watched, such as the knowledge base itself in `.taskmaster`. Start at [`run`].

use std::{
    future::poll_fn,
    path::{Component, Path, PathBuf},
    pin::pin,
    task::Poll,
    time::Duration,
};

use anyhow::Context;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tm_knowledge::index::Source;
use tokio::{sync::mpsc, time};

use super::{WatchArgs, count, meaning, open, read_one, screen, told};
use crate::{
    app::{App, Workspace},
    report::{Report, advice},
};

/// Files that are written in several steps are read when this long nothing has happened.
const QUIET: Duration = Duration::from_millis(300);
/// But not later than after so many of them.
const QUIET_TRIES: u32 = 20;

/// Reads what changed as long as nobody ends it. Only what changed is told.
pub(super) fn run(
    args: &WatchArgs,
    app: &App,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut index = open(workspace)?;
    let sources = index.sources().map_err(told)?;
    let (there, gone): (Vec<Source>, Vec<Source>) =
        sources.into_iter().partition(|it| Path::new(&it.location).exists());
    for source in gone {
        report.warn(&format!("{} is not there and not watched", source.location));
    }
    let locations: Vec<PathBuf> = there.iter().map(|it| PathBuf::from(&it.location)).collect();
    report.note(&format!("watching {}; Ctrl-C ends this", count(there.len(), "source")));
    whenever_they_change(&locations, || {
        for source in &there {
            let synced = read_one(&mut index, source, app)?;
            if synced.added + synced.changed + synced.removed > 0 {
                screen::print_synced(source, &synced, report);
            }
        }
        let lacks = !args.no_vectors && index.count_unembedded().map_err(told)? > 0;
        if lacks {
            let made = meaning::complete(&mut index, workspace, report)?;
            screen::print_made(&made, report);
        }
        report.flush();
        Ok(())
    })
}

/// Does `work` now and after each change in these files and folders.
fn whenever_they_change(
    locations: &[PathBuf],
    mut work: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // Only once it has been asked does it keep Ctrl-C from ending the process.
    let asked = poll_fn(|context| Poll::Ready(interrupted.as_mut().poll(context).is_ready()));
    runtime.block_on(asked);
    let (_watcher, mut changes) = watch(locations)?;
    loop {
        work()?;
        let is_over = runtime.block_on(async {
            tokio::select! {
                _ = &mut interrupted => true,
                () = changed(&mut changes) => false,
            }
        });
        if is_over {
            return Ok(());
        }
    }
}

fn watch(locations: &[PathBuf]) -> anyhow::Result<(RecommendedWatcher, mpsc::Receiver<()>)> {
    // One is enough: what happened is found out by reading.
    let (sender, changes) = mpsc::channel(1);
    let roots = locations.to_vec();
    let told = move |event: notify::Result<Event>| {
        if event.as_ref().is_ok_and(|it| !concerns(it, &roots)) {
            return;
        }
        // A full channel says the same already.
        sender.try_send(()).ok();
    };
    let cannot =
        || advice("the sources cannot be watched", "read them again with `task-master kb update`");
    let mut watcher = notify::recommended_watcher(told).with_context(cannot)?;
    for location in locations {
        // A file that is saved is often another one of the same name: its folder is watched.
        let (path, mode) = match location.parent() {
            Some(parent) if location.is_file() => (parent, RecursiveMode::NonRecursive),
            Some(_) | None => (location.as_path(), RecursiveMode::Recursive),
        };
        watcher.watch(path, mode).with_context(cannot)?;
    }
    Ok((watcher, changes))
}

/// Waits for a change, and until it is over.
async fn changed(changes: &mut mpsc::Receiver<()>) {
    changes.recv().await;
    for _ in 0..QUIET_TRIES {
        time::sleep(QUIET).await;
        if changes.try_recv().is_err() {
            return;
        }
    }
}

/// Whether something may have changed that is read. Reading is an event, too.
fn concerns(event: &Event, roots: &[PathBuf]) -> bool {
    let is_change = match event.kind {
        EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    let is_read = |path: &PathBuf| roots.iter().any(|root| is_seen(path, root));
    is_change && (event.paths.is_empty() || event.paths.iter().any(is_read))
}

/// Whether a path is below this root, and not hidden there.
fn is_seen(path: &Path, root: &Path) -> bool {
    let is_hidden = |it: Component<'_>| it.as_os_str().to_string_lossy().starts_with('.');
    path.strip_prefix(root).is_ok_and(|below| !below.components().any(is_hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_or_elsewhere_is_no_change() {
        let root = Path::new("/home/me/.notes");
        for (path, expected) in [
            ("/home/me/.notes/a.md", true),
            ("/home/me/.notes", true),
            ("/home/me/.notes/.taskmaster/knowledge/index.sqlite-wal", false),
            ("/home/me/other/a.md", false),
        ] {
            assert_eq!(is_seen(Path::new(path), root), expected, "{path}");
        }
    }
}
