//! `man`: our manual, for the reader that every system has.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::CommandFactory;

use super::Cli;
use crate::{app::App, report::Report};

/// Print the manual page, or write the pages of all commands
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write a page for each command into this directory
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs `man`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let Some(out) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        report.text(&String::from_utf8(page)?);
        return Ok(());
    };
    let directory = app.environment.working_dir.join(out);
    let written = fs::create_dir_all(&directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &directory));
    written.with_context(|| format!("cannot write the manual to {}", directory.display()))?;
    report.done(format!("The manual is in {}", directory.display()));
    report.suggest(&format!("man {}/task-master.1", directory.display()), "read it");
    Ok(())
}
