//! `read-pdf`, which nobody types: this program reads one PDF document for another one of itself.
//!
//! Why it is a process of its own is in `tm_knowledge::read::pdf::process`.

use std::io;

use anyhow::Context as _;
use tm_knowledge::read::pdf::process::answer;

use crate::report::Report;

/// Read the PDF document on standard input for another process
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `read-pdf`.
pub fn run(report: &mut Report) -> anyhow::Result<()> {
    report.text(&answer(io::stdin().lock()).context("cannot read the document")?);
    Ok(())
}
