//! Tools in which a model makes tasks: `parse_prd`.

use std::{fs, path::PathBuf, sync::Arc};

use serde_json::json;
use tm_tasks::{prd::Prd, store::Store};
use tm_workflows::{
    escalation::Below,
    plan::parse_prd::{Existing, ParsePrd, Target, parse_prd as plan},
};

use super::{
    PROJECT_ROOT, TAG,
    asking::{LOOKED_UP, role, tell, tell_below},
    in_project,
};
use crate::{
    backend::{self, telemetry},
    knowledge,
    mcp::{
        call::{self, Call},
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "parse_prd",
    title: "Parse PRD",
    description: "Turn a requirements document into tasks. Takes minutes.",
    effect: Effect::Changes,
    tier: Tier::Core,
    parameters: &[
        Parameter::text("input", "The document; .taskmaster/docs/prd.txt if left out"),
        PROJECT_ROOT,
        TAG,
        Parameter::text("output", "Another tasks file"),
        Parameter::text("numTasks", "About how many, e.g. 10; 0: as the document needs"),
        Parameter::flag("force", "Replace the tag's tasks"),
        LOOKED_UP,
        Parameter::flag("append", "Keep the tag's tasks"),
    ],
    run: parse_prd,
}];

fn parse_prd(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let path = document(call);
    let document = fs::read(&path).map_err(|error| {
        let message = format!("cannot read {}", path.display());
        anyhow::Error::new(error).context(advice(message, "Name the document as input"))
    })?;
    let globals = call.workspace.config.globals();
    let role = role(call);
    let request = ParsePrd {
        document,
        count: count(call)?.or_else(|| usize::try_from(globals.default_num_tasks).ok()),
        language: globals.response_language,
        prompts: call.workspace.prompts()?,
        priority: globals.default_priority,
        timeout: call::timeout(&call.workspace.environment),
        saved: Some(call.workspace.environment.state_dir.join("parse-prd")),
        documents: knowledge::for_role(call.workspace, role, call.report)?,
        escalation: backend::escalation(call.workspace, role, None, call.report)?.map(Arc::new),
    };
    let request = ParsePrd { count: request.count.filter(|it| *it > 0), ..request };
    let store = match call.arguments.text("output") {
        Some(output) => Store::open(
            in_project(call, output),
            call.workspace.environment.state_dir.join("journal"),
        ),
        None => call.workspace.store.clone(),
    };
    let output = store.path().display().to_string();
    let existing = match (call.arguments.flag("append"), call.arguments.flag("force")) {
        (true, _) => Existing::Append,
        (false, true) => Existing::Replace,
        (false, false) => Existing::Refuse,
    };
    let target = Target { store, tag: call.tag().to_owned(), existing };
    // No model is loaded for a document that is none.
    Prd::from_bytes(&request.document)?;
    let choice = backend::for_role(call.workspace, role, call.report)?;
    let teller = call.teller;
    let (spent, quality) = call.wait(async {
        let model = choice.open().await?;
        let written = plan(&*model, target, &request, &|event| tell(teller, event)).await?;
        Ok((model.spent(), written.quality))
    })?;
    let below: Vec<Below> = quality.below().map(Below::from).collect();
    tell_below(call, &below, quality.minimum);
    if let Some(documents) = &request.documents {
        knowledge::tell_degraded(&documents.libraries, call.report);
    }
    Answer::new(&json!({
        "message": format!("Successfully parsed PRD and generated tasks in {output}"),
        "outputPath": output,
        "telemetryData": telemetry::data("parse-prd", call.now(), &spent),
        "tagInfo": call.tag_info()?,
    }))
}

/// The document that is named, else the project's own.
fn document(call: &Call<'_>) -> PathBuf {
    if let Some(input) = call.arguments.text("input") {
        return in_project(call, input);
    }
    let own = call.workspace.project.docs_dir().join("prd.txt");
    let others = call.workspace.project.requirements_file();
    others.filter(|_| !own.is_file()).unwrap_or(own)
}

fn count(call: &Call<'_>) -> anyhow::Result<Option<usize>> {
    let Some(number) = call.arguments.text("numTasks") else { return Ok(None) };
    let count = number.parse();
    Ok(Some(count.map_err(|_| {
        advice(format!("numTasks is `{number}`"), "Give a whole number, such as 10")
    })?))
}
