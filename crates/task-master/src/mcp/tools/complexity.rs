//! `complexity_report`: how hard the tasks are, as an earlier analysis saw it.

use serde_json::value::RawValue;
use tm_tasks::complexity::ComplexityReport;

use super::{PROJECT_ROOT, in_project};
use crate::mcp::{
    call::Call,
    envelope::Answer,
    parameter::Parameter,
    registry::{Effect, Tier, Tool},
};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "complexity_report",
    title: "Complexity Report",
    description: "Show how hard tasks were found to be.",
    effect: Effect::Reads,
    tier: Tier::Standard,
    parameters: &[Parameter::text("file", "Another report"), PROJECT_ROOT],
    run: complexity_report,
}];

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    report: Box<RawValue>,
    report_path: String,
}

fn complexity_report(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let path = match call.arguments.text("file") {
        Some(file) => in_project(call, file),
        None => call.workspace.project.complexity_report(call.tag()),
    };
    let report = ComplexityReport::read(&path)?;
    Answer::new(&Report {
        report: RawValue::from_string(report.to_json())?,
        report_path: path.display().to_string(),
    })
}
