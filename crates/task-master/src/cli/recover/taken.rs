//! What became of all attempts: shown, applied where the user wants that, or kept for whoever goes on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde_json::{Value, json};
use tm_tasks::timestamp::{Timestamp, iso_millis};
use tm_workflows::{
    autopilot::git::GitError,
    recover::{
        Outcome, Recovered, Recovery,
        applied::Applied,
        doubt::Doubt,
        record,
        run::run,
        scratch::{Patch, Scratch},
        step::Step,
    },
};

use super::{Args, Attempts, UNTOUCHED, asked, explain};
use crate::{
    app::Workspace,
    interruption::interruptible,
    report::{
        Interrupted, Report, Told, advice,
        text::{DIM, Text},
    },
};

/// Tells what came of it. Unless the check passes now that is a failure.
pub(super) fn tell(
    args: &Args,
    (workspace, scratch, recovery): (&Workspace, &Scratch, &Recovery),
    mut found: Attempts,
    report: &mut Report,
) -> anyhow::Result<()> {
    let place = (workspace, recovery);
    let stopped = found.recovered.stopped.as_ref().map(ToString::to_string);
    match &found.recovered.end {
        Outcome::Resolved(patch) => resolved(args, (scratch, recovery, &found), patch, report),
        Outcome::Unproved(patch, doubt) => {
            unproved(args, (workspace, scratch, recovery), (&found, patch, doubt), report)
        }
        Outcome::Declined(step) => declined(args, place, (&found, step), report),
        Outcome::Unresolved => {
            let path = save(workspace, recovery, &found.recovered)?;
            if args.json {
                let more = json!({"report": path, "error": stopped});
                report.json(&document("unresolved", recovery, &found, more));
                return Err(Told.into());
            }
            report.line(found.cost.clone());
            let hint = kept_in(&path);
            if let Some(error) = found.recovered.stopped.take() {
                report.note(&hint);
                return Err(explain(error));
            }
            let message = format!(
                "unresolved: the check fails after {} attempts, and nothing was changed",
                found.recovered.attempts.len()
            );
            Err(advice(message, hint).into())
        }
    }
}

fn resolved(
    args: &Args,
    (scratch, recovery, found): (&Scratch, &Recovery, &Attempts),
    patch: &Patch,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.json {
        let attempts = found.recovered.attempts.len();
        report.done(format!(
            "The check passes in the scratch copy, at attempt {attempts}: {}",
            recovery.check
        ));
        print(found, patch, report);
    }
    let question = "Apply this to the project (y/n)?";
    let is_wanted = args.apply || !args.json && is_wanted(question, patch, report)?;
    let applied = if is_wanted { apply(scratch, recovery, patch) } else { Ok(()) };
    if args.json {
        let is_applied = is_wanted && applied.is_ok();
        let error = applied.as_ref().err().map(ToString::to_string);
        let more = json!({"applied": is_applied, "error": error});
        report.json(&document("resolved", recovery, found, more));
        return match applied {
            Err(error) if !error.is::<Interrupted>() => Err(Told.into()),
            applied => applied,
        };
    }
    applied?;
    if is_wanted {
        report.done("Applied; the check passes in the project");
    } else if patch.paths.is_empty() {
        report.note(NOTHING_CHANGED);
    } else {
        report.suggest("task-master recover --research --apply …", "find it again, and apply it");
    }
    Ok(())
}

/// What makes the check pass and is not known to be right is kept; only a person applies it.
fn unproved(
    args: &Args,
    (workspace, scratch, recovery): (&Workspace, &Scratch, &Recovery),
    (found, patch, doubt): (&Attempts, &Patch, &Doubt),
    report: &mut Report,
) -> anyhow::Result<()> {
    let error = found.recovered.stopped.as_ref().map(ToString::to_string);
    if !args.json {
        print(found, patch, report);
        report.note(&format!(
            "the check passes with this, and nothing else says that it is right: {doubt}"
        ));
        if let Some(error) = &error {
            report.note(&format!("it went no further: {error}"));
        }
    }
    // Kept before anybody is asked, who may leave.
    let path = save(workspace, recovery, &found.recovered)?;
    let file = path.with_extension("patch");
    fs::copy(&patch.file, &file).with_context(|| cannot_be_written(&found.recovered, &file))?;
    if args.json {
        let doubt = doubt.to_string();
        let more = json!({"doubt": doubt, "report": path, "patchFile": file, "error": error});
        report.json(&document("unproved", recovery, found, more));
        return Err(Told.into());
    }
    if is_wanted("Apply it to the project all the same (y/n)?", patch, report)? {
        apply(scratch, recovery, patch)?;
        for kept in [&path, &file] {
            // What is left here is of no use, and does no harm.
            fs::remove_file(kept).ok();
        }
        report.done("Applied; the check passes in the project");
        return Ok(());
    }
    let hint = format!(
        "look at the difference, or let the check look at more; nothing was changed, and \
         `git apply {}` takes it as it is",
        file.display()
    );
    Err(advice("unproved: one check passes, and that is all that is known", hint).into())
}

fn print(found: &Attempts, patch: &Patch, report: &mut Report) {
    report.lines(patch.text.lines().map(Text::from));
    print_sources(found, report);
    report.line(found.cost.clone());
}

/// What is true of a patch with nothing in it.
const NOTHING_CHANGED: &str =
    "there is nothing to apply: a command made the check pass, and no file that git keeps changed";

/// Whether somebody is there who wants it applied.
fn is_wanted(question: &'static str, patch: &Patch, report: &mut Report) -> anyhow::Result<bool> {
    if !report.is_interactive() || patch.paths.is_empty() {
        return Ok(false);
    }
    report.flush();
    let answer = interruptible(UNTOUCHED, async { Ok(asked::answer(question).await) })?;
    Ok(answer.is_some_and(|it| it == "y" || it == "yes"))
}

/// Applies what helped, and runs the check where it counts.
fn apply(scratch: &Scratch, recovery: &Recovery, patch: &Patch) -> anyhow::Result<()> {
    if patch.paths.is_empty() {
        return Err(advice(NOTHING_CHANGED, "run the command yourself in the project").into());
    }
    let applied = Applied::to(scratch.source(), patch).map_err(not_applied)?;
    let folder = scratch.source().join(scratch.folder_inside());
    let ran = interruptible(UNTOUCHED, async {
        Ok(run(&recovery.check, &folder, &recovery.bounds).await?)
    });
    match ran {
        Ok(ran) if ran.passed() => {
            applied.keep();
            Ok(())
        }
        ran => {
            applied.take_back().map_err(not_put_back)?;
            let ran = ran?;
            let said = ran.output.lines().last().unwrap_or_default().trim();
            let message = format!(
                "in the project itself the check {}: the files of the patch were put back as they were: {said}",
                ran.end
            );
            Err(advice(
                message,
                "see what is different there: files that git ignores are not in the scratch copy",
            )
            .into())
        }
    }
}

fn declined(
    args: &Args,
    (workspace, recovery): (&Workspace, &Recovery),
    (found, step): (&Attempts, &Step),
    report: &mut Report,
) -> anyhow::Result<()> {
    let is_tried = found.recovered.tried_something();
    let path = is_tried.then(|| save(workspace, recovery, &found.recovered)).transpose()?;
    if args.json {
        let more = json!({"proposed": step, "report": path});
        report.json(&document("declined", recovery, found, more));
        return Err(Told.into());
    }
    for line in asked::shown(step) {
        report.line(Text::plain(&line));
    }
    print_sources(found, report);
    if let Some(path) = path {
        let message = "unresolved: the check fails, and you wanted no further step";
        return Err(advice(message, kept_in(&path)).into());
    }
    let message = "nothing was tried: steps run only when you agree to them";
    let hint = "agree at a terminal, or beforehand with --yes: they are tried in a scratch copy, and the project stays as it is";
    Err(advice(message, hint).into())
}

fn print_sources(found: &Attempts, report: &mut Report) {
    if found.recovered.sources.is_empty() {
        return;
    }
    report.line(Text::styled(DIM, "What documents say:"));
    report.lines(found.recovered.sources.iter().map(|it| Text::plain(it)));
}

/// Writes down what was tried.
pub(super) fn save(
    workspace: &Workspace,
    recovery: &Recovery,
    recovered: &Recovered,
) -> anyhow::Result<PathBuf> {
    let at = iso_millis(Timestamp::now());
    let directory = workspace.project.reports_dir().join("recover");
    let origin = record::Origin { version: env!("CARGO_PKG_VERSION"), at: &at };
    let path = directory.join(format!("{}.md", at.replace([':', '.'], "-")));
    let page = record::page(recovery, recovered, origin);
    let written = fs::create_dir_all(&directory).and_then(|()| fs::write(&path, page));
    written.with_context(|| cannot_be_written(recovered, &path))?;
    Ok(path)
}

pub(super) fn kept_in(path: &Path) -> String {
    format!("what was looked up and tried is in {}", path.display())
}

fn cannot_be_written(
    recovered: &Recovered,
    path: &Path,
) -> impl std::fmt::Display + Send + Sync + use<> {
    let is_unproved = matches!(recovered.end, Outcome::Unproved(..));
    let status = if is_unproved { "unproved" } else { "unresolved" };
    let message = format!("{status}, and {} cannot be written", path.display());
    advice(message, "see what its permissions are")
}

fn document(status: &str, recovery: &Recovery, found: &Attempts, more: Value) -> Value {
    let recovered = &found.recovered;
    let patch = match &recovered.end {
        Outcome::Resolved(patch) | Outcome::Unproved(patch, _) => Some(&patch.text),
        Outcome::Unresolved | Outcome::Declined(_) => None,
    };
    let mut document = json!({
        "status": status,
        "check": recovery.check,
        "model": recovered.model,
        "failure": {"ended": recovered.failure.end.to_string(), "output": recovered.failure.output},
        "sources": recovered.sources,
        "attempts": recovered.attempts,
        "patch": patch,
    });
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
    document
}

fn not_applied(error: GitError) -> anyhow::Error {
    let message = "it cannot be applied to the project, which was not changed".to_owned();
    anyhow::Error::new(error)
        .context(advice(message, "files may have changed meanwhile; start again"))
}

fn not_put_back(error: io::Error) -> anyhow::Error {
    let message = format!("a file could not be put back as it was: {error}");
    anyhow::Error::new(error).context(advice(message, "put it back yourself; the others are"))
}
