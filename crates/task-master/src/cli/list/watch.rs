//! `list --watch`: the list again whenever the task file changes, until Ctrl-C.
//!
//! The directory of the file is watched, not the file: a change puts another file in its place.
//! What is listed is not known here. Start at [`run`].

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::{Args, Selection};
use crate::{
    app::App,
    cli::changes::{self, Changes},
    config::Screen,
    interruption::interruption,
    report::{Advice, Report, advice},
};

/// The file is read when this long nothing has happened to it.
const QUIET: Duration = Duration::from_millis(50);

/// Lists, and lists again, until the user has seen enough.
pub(super) fn run(
    args: &Args,
    selection: &Selection,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<()> {
    let file = app.open(args.project.as_deref(), report)?.store.path().to_path_buf();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupted = interruption();
        let mut resized = Resized::new();
        let mut watch = Watch::new(file)?;
        let mut shown = String::new();
        loop {
            let screen = app.environment.screen();
            let frame = Report::rendering(screen, |it| list(args, selection, app, it));
            if frame != shown || screen.rows.is_some() {
                show(&frame, screen, report);
                shown = frame;
            }
            tokio::select! {
                () = &mut interrupted => {
                    report.leave_frame();
                    return Ok(());
                }
                () = resized.wait() => {}
                changed = watch.changed() => changed?,
            }
        }
    })
}

/// A file that cannot be read now may be readable after the next change.
fn list(args: &Args, selection: &Selection, app: &App, report: &mut Report) {
    if let Err(error) = super::print(args, selection, app, report) {
        report.error(&error);
    }
}

fn show(frame: &str, screen: Screen, report: &mut Report) {
    match screen.rows {
        Some(rows) => report.frame(frame, "Watching for changes; Ctrl-C ends this", rows),
        None => report.text(frame),
    }
    report.flush();
}

/// Tells when a file changes, is replaced, goes or comes.
#[derive(Debug)]
struct Watch {
    file: PathBuf,
    watcher: RecommendedWatcher,
    watched: PathBuf,
    changes: Changes,
}

impl Watch {
    fn new(file: PathBuf) -> anyhow::Result<Self> {
        let wanted = file.clone();
        let (watcher, changes) =
            changes::watcher(move |it| wanted.starts_with(it)).with_context(cannot_watch)?;
        let mut watch = Self { watched: PathBuf::new(), file, watcher, changes };
        watch.look()?;
        Ok(watch)
    }

    /// Waits for a change, and until it is over.
    async fn changed(&mut self) -> anyhow::Result<()> {
        self.changes.next(QUIET).await.context("the watcher has ended")?;
        self.look()
    }

    /// Watches the innermost directory of the file that there is now, which may be another one
    /// of the same name.
    fn look(&mut self) -> anyhow::Result<()> {
        // It may be gone.
        self.watcher.unwatch(&self.watched).ok();
        let directories = self.file.ancestors().skip(1);
        for directory in directories.filter(|it| it.is_dir()) {
            if self.watcher.watch(directory, RecursiveMode::NonRecursive).is_ok() {
                self.watched = directory.to_path_buf();
                return Ok(());
            }
        }
        Err(cannot_watch().into())
    }
}

fn cannot_watch() -> Advice {
    advice(
        "the task file cannot be watched",
        "the system may allow no more watches; leave out --watch, or end other watchers",
    )
}

/// Tells when the terminal gets another size.
#[derive(Debug)]
struct Resized {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Resized {
    #[cfg(unix)]
    fn new() -> Self {
        let kind = tokio::signal::unix::SignalKind::window_change();
        Self { signal: tokio::signal::unix::signal(kind).ok() }
    }

    #[cfg(not(unix))]
    fn new() -> Self {
        Self {}
    }

    #[cfg(unix)]
    async fn wait(&mut self) {
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) {
        std::future::pending::<()>().await;
    }
}
