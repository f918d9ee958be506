//! `migrate`: moves a project from before `.taskmaster` into it.

use tm_tasks::project::Project;

use crate::{
    app::App,
    migration::{self, BACKUP, MigrationError, Move, Plan},
    report::{
        Report, advice,
        text::{BOLD, DIM, Text},
    },
};

/// Move the files of an older layout into .taskmaster
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Go on although there is a .taskmaster directory; files in it stay
    #[arg(long, short)]
    force: bool,

    /// Copy what is moved into .taskmaster-migration-backup first
    #[arg(long)]
    backup: bool,

    /// Remove directories that are empty afterwards; always done
    #[arg(long)]
    cleanup: bool,

    /// Ask nothing
    #[arg(long, short)]
    yes: bool,

    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `migrate`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let project = Project::discover(&app.environment.working_dir);
    let root = project.root();
    if project.directory().exists() && !args.force {
        let message = format!("{} exists already", project.directory().display());
        return Err(advice(message, "add --force to move what is still outside into it").into());
    }
    let plan = migration::plan(root).map_err(explain)?;
    if plan.moves.is_empty() {
        report.line("There is nothing to move.");
        warn(&plan, report);
        return Ok(());
    }
    if args.dry_run {
        report.line(Text::styled(BOLD, "This would be moved:"));
        print(&plan, report);
        warn(&plan, report);
        return Ok(());
    }
    if !args.yes {
        if !report.is_interactive() {
            let hint = "nothing was moved; add --yes, or see what it would do with --dry-run";
            return Err(advice("there is nobody to ask", hint).into());
        }
        print(&plan, report);
        if !report.ask("Move these files?", true) {
            report.line("Nothing was moved.");
            return Ok(());
        }
    }
    if args.backup {
        migration::back_up(root, &plan).map_err(explain)?;
    }
    migration::apply(root, &plan).map_err(explain)?;
    let count = plan.moves.len();
    let files = if count == 1 { "file" } else { "files" };
    report.done(format!("{count} {files} moved into {}", project.directory().display()));
    print(&plan, report);
    if args.backup {
        report.line(Text::styled(DIM, &format!("  copies are in {BACKUP}")));
    }
    warn(&plan, report);
    report.suggest("task-master list", "see the tasks");
    Ok(())
}

fn print(plan: &Plan, report: &mut Report) {
    report.lines(plan.moves.iter().map(|Move { from, to }| {
        Text::plain(&format!("  {}", from.display()))
            .and(DIM, " → ")
            .and_text(to.display().to_string().into())
    }));
}

fn warn(plan: &Plan, report: &mut Report) {
    for Move { from, to } in &plan.blocked {
        let (from, to) = (from.display(), to.display());
        report.warn(&format!("{from} stays where it is, because there is {to}"));
    }
    for path in &plan.unknown {
        report.warn(&format!("{} stays where it is: nobody knows what it is", path.display()));
    }
}

fn explain(error: MigrationError) -> anyhow::Error {
    let hint = match &error {
        MigrationError::BackupExists { .. } => {
            "nothing was moved; move the backup away, or leave out --backup"
        }
        MigrationError::Read { .. } | MigrationError::Copy { .. } => {
            "nothing was moved; see what the permissions are"
        }
        MigrationError::Move { .. } => {
            "see what the permissions are, then go on with `task-master migrate --force`"
        }
    };
    anyhow::Error::new(error).context(advice("the project was not moved", hint))
}
