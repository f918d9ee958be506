//! What became of all attempts: shown, applied where the user wants that, or kept for whoever goes on.

use std::{fs, path::PathBuf};

use anyhow::Context;
use serde_json::{Value, json};
use tm_tasks::timestamp::{Timestamp, iso_millis};
use tm_workflows::{
    autopilot::git::GitError,
    recover::{
        Outcome, Recovery,
        applied::Applied,
        record,
        run::run,
        scratch::{Patch, Scratch},
        step::Step,
    },
};

use super::{Args, Attempts, asked, interruptible};
use crate::{
    app::Workspace,
    report::{
        Report, Told, advice,
        text::{DIM, Text},
    },
};

/// Tells what came of it. Unless the check passes now that is a failure.
pub(super) fn tell(
    args: &Args,
    (workspace, scratch, recovery): (&Workspace, &Scratch, &Recovery),
    found: &Attempts,
    report: &mut Report,
) -> anyhow::Result<()> {
    match &found.recovered.end {
        Outcome::Resolved(patch) => resolved(args, (scratch, recovery, found), patch, report),
        Outcome::Declined(step) => declined(args, (recovery, found), step, report),
        Outcome::Unresolved => {
            let path = save(workspace, recovery, found)?;
            if args.json {
                report.json(&document("unresolved", recovery, found, json!({"report": path})));
                return Err(Told.into());
            }
            report.line(found.cost.clone());
            let message = format!(
                "unresolved: the check fails after {} attempts, and nothing was changed",
                found.recovered.attempts.len()
            );
            let hint = format!("what was looked up and tried is in {}", path.display());
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
        report.lines(patch.text.lines().map(Text::from));
        print_sources(found, report);
        report.line(found.cost.clone());
    }
    let is_wanted = args.apply
        || report.is_interactive()
            && !args.json
            && !patch.paths.is_empty()
            && report
                .answer("Apply this to the project (y/n)?")
                .is_some_and(|it| it == "y" || it == "yes");
    if is_wanted {
        apply(scratch, recovery, patch)?;
    }
    if args.json {
        report.json(&document("resolved", recovery, found, json!({"applied": is_wanted})));
    } else if is_wanted {
        report.done("Applied; the check passes in the project");
    } else {
        report.suggest("task-master recover --research --apply …", "find it again, and apply it");
    }
    Ok(())
}

/// Applies what helped, and runs the check where it counts.
fn apply(scratch: &Scratch, recovery: &Recovery, patch: &Patch) -> anyhow::Result<()> {
    if patch.paths.is_empty() {
        return Err(advice(
            "there is nothing to apply: a command made the check pass, and no file that git keeps changed",
            "run the command yourself in the project",
        )
        .into());
    }
    let applied = Applied::to(scratch.source(), patch).map_err(not_applied)?;
    let folder = scratch.source().join(scratch.folder_inside());
    let ran = interruptible(async { Ok(run(&recovery.check, &folder, recovery.limit).await?) });
    match ran {
        Ok(ran) if ran.passed() => {
            applied.keep();
            Ok(())
        }
        ran => {
            applied.take_back().context("a file could not be put back as it was")?;
            let ran = ran?;
            let said = ran.output.lines().last().unwrap_or_default().trim();
            let message = format!(
                "in the project itself the check {}: everything was put back as it was: {said}",
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
    (recovery, found): (&Recovery, &Attempts),
    step: &Step,
    report: &mut Report,
) -> anyhow::Result<()> {
    if args.json {
        report.json(&document("declined", recovery, found, json!({"proposed": step})));
        return Err(Told.into());
    }
    for line in asked::shown(step) {
        report.line(Text::plain(&line));
    }
    print_sources(found, report);
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
fn save(workspace: &Workspace, recovery: &Recovery, found: &Attempts) -> anyhow::Result<PathBuf> {
    let at = iso_millis(Timestamp::now());
    let directory = workspace.project.reports_dir().join("recover");
    let origin =
        record::Origin { version: env!("CARGO_PKG_VERSION"), model: &found.model, at: &at };
    let path = directory.join(format!("{}.md", at.replace([':', '.'], "-")));
    let page = record::page(recovery, &found.recovered, origin);
    let written = fs::create_dir_all(&directory).and_then(|()| fs::write(&path, page));
    written.with_context(|| {
        advice(
            format!("unresolved, and {} cannot be written", path.display()),
            "see what its permissions are",
        )
    })?;
    Ok(path)
}

fn document(status: &str, recovery: &Recovery, found: &Attempts, more: Value) -> Value {
    let recovered = &found.recovered;
    let patch = match &recovered.end {
        Outcome::Resolved(patch) => Some(&patch.text),
        Outcome::Unresolved | Outcome::Declined(_) => None,
    };
    let mut document = json!({
        "status": status,
        "check": recovery.check,
        "model": found.model,
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
