//! `kb watch`: sources are read again whenever something in them changes, until Ctrl-C.
//!
//! What changed is found out by reading: a change only says that there is something to do. What is
//! hidden is not watched, such as the knowledge base itself in `.taskmaster`. Start at [`run`].

use std::{
    path::{Component, Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::{WatchArgs, count, meaning, open, read_one, screen, sources, told};
use crate::{
    app::{App, Workspace},
    cli::changes::{self, Changes},
    interruption::interruption,
    report::{Report, advice},
};

/// Files are read when this long nothing has happened.
const QUIET: Duration = Duration::from_millis(300);

/// Reads what changed as long as nobody ends it. Only what changed is told.
pub(super) fn run(
    args: &WatchArgs,
    app: &App,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut index = open(workspace)?;
    let there = sources(&index, "it is not watched", report)?;
    let locations: Vec<PathBuf> = there.iter().map(|it| PathBuf::from(&it.location)).collect();
    report.note(&format!("watching {}; Ctrl-C ends this", count(there.len(), "source")));
    whenever_they_change(&locations, || {
        let mut is_new = false;
        for source in &there {
            let synced = read_one(&mut index, source, app)?;
            if synced.added + synced.changed + synced.removed > 0 {
                is_new = true;
                screen::print_synced(source, &synced, report);
            }
        }
        let lacks = !args.no_vectors && index.count_unembedded().map_err(told)? > 0;
        if lacks {
            let made = meaning::complete(&mut index, workspace, report)?;
            screen::print_made(&made, report);
        }
        if is_new || lacks {
            meaning::copy_if_possible(&index, workspace, report);
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
    let mut interrupted = interruption();
    let (_watcher, mut changes) = watch(locations)?;
    loop {
        work()?;
        let is_over = runtime.block_on(async {
            tokio::select! {
                () = &mut interrupted => true,
                change = changes.next(QUIET) => change.is_none(),
            }
        });
        if is_over {
            return Ok(());
        }
    }
}

fn watch(locations: &[PathBuf]) -> anyhow::Result<(RecommendedWatcher, Changes)> {
    let roots = locations.to_vec();
    let cannot =
        || advice("the sources cannot be watched", "read them again with `task-master kb update`");
    let concerns = move |path: &Path| roots.iter().any(|root| is_seen(path, root));
    let (mut watcher, changes) = changes::watcher(concerns).with_context(cannot)?;
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
