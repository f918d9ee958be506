//! Tools in which a model judges tasks: `analyze_project_complexity`, `scope_up_task`,
//! `scope_down_task`.

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use tm_tasks::{
    complexity::{Band, ComplexityReport},
    id::TaskId,
    scope::{Direction, Strength},
};
use tm_workflows::plan::{
    complexity::{Analyze, AnalyzeError, Analyzed, Selection, analyze as judge},
    scope::{Scope, scope},
};

use super::{
    FILE, PROJECT_ROOT, TAG,
    asking::{LOOKED_UP, PROMPT, RESEARCH, ask, ask_for, place, role, told},
    in_project,
};
use crate::{
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
};

const SCOPE: &[Parameter] = &[
    Parameter::text("id", "e.g. 3, or 3,4").required(),
    Parameter::text("strength", "light, regular or heavy"),
    PROMPT,
    FILE,
    PROJECT_ROOT,
    TAG,
    LOOKED_UP,
];

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "analyze_project_complexity",
        title: "Analyze Project Complexity",
        description: "Find out how hard open tasks are. Takes minutes.",
        effect: Effect::Changes,
        tier: Tier::Standard,
        parameters: &[
            Parameter::whole("threshold", 1, 10, "Worth dividing from here on; 5"),
            RESEARCH,
            Parameter::text("output", "Another report"),
            FILE,
            Parameter::text("ids", "Only these, e.g. 1,3"),
            Parameter::whole("from", 1, i64::MAX, "Only from this id on"),
            Parameter::whole("to", 1, i64::MAX, "Only up to this id"),
            PROJECT_ROOT,
            TAG,
        ],
        run: analyze,
    },
    Tool {
        name: "scope_up_task",
        title: "Scope Up Task",
        description: "Rewrite tasks to ask for more.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: SCOPE,
        run: scope_up,
    },
    Tool {
        name: "scope_down_task",
        title: "Scope Down Task",
        description: "Rewrite tasks to ask for less.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: SCOPE,
        run: scope_down,
    },
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Analysis {
    message: String,
    report_path: String,
    report_summary: Value,
    full_report: Box<RawValue>,
    telemetry_data: Value,
    tag_info: Value,
}

fn analyze(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let path = match call.arguments.text("output") {
        Some(output) => in_project(call, output),
        None => call.workspace.project.complexity_report(call.tag()),
    };
    let threshold = call.arguments.whole("threshold").and_then(|it| u8::try_from(it).ok());
    let request = Analyze {
        selection: selection(call)?,
        report: path,
        threshold: threshold.unwrap_or(5),
        project_name: call.workspace.config.globals().project_name,
        used_research: call.arguments.flag("research"),
    };
    let place = place(call);
    let answered = ask_for(call, role(call), "analyze-complexity", async |asking| {
        judge(asking, &place, &request).await.map_err(explain)
    })?;
    warn_about(call, &answered.value);
    let report = &answered.value.report;
    let path = request.report.display().to_string();
    Answer::new(&Analysis {
        message: format!("Task complexity analysis complete. Report saved to {path}"),
        report_path: path,
        report_summary: summary(report),
        full_report: RawValue::from_string(report.to_json())?,
        telemetry_data: answered.telemetry,
        tag_info: call.tag_info()?,
    })
}

/// Named tasks count before a range. A subtask stands for its task.
fn selection(call: &Call<'_>) -> anyhow::Result<Selection> {
    if let Some(ids) = call.arguments.text("ids") {
        let mut ids: Vec<TaskId> = TaskId::parse_list(ids)?.iter().map(TaskId::parent).collect();
        ids.dedup();
        return Ok(Selection::These(ids));
    }
    let number = |name| call.arguments.whole(name).and_then(|it| u64::try_from(it).ok());
    Ok(match (number("from"), number("to")) {
        (None, None) => Selection::All,
        (from, to) => Selection::Range { from: from.unwrap_or(0), to: to.unwrap_or(u64::MAX) },
    })
}

fn explain(error: AnalyzeError) -> anyhow::Error {
    match error {
        AnalyzeError::Change(error) => told(error),
        error @ (AnalyzeError::NoTasks { .. } | AnalyzeError::Report(_)) => error.into(),
    }
}

fn warn_about(call: &mut Call<'_>, analyzed: &Analyzed) {
    for skipped in &analyzed.skipped {
        let id = &skipped.id;
        match &skipped.status {
            None => call.report.warn(&format!("there is no task {id}")),
            Some(status) => call.report.note(&format!("task {id} is {status}: left out")),
        }
    }
    for id in &analyzed.left_out {
        call.report.warn(&format!("the model said nothing about task {id}"));
    }
}

fn summary(report: &ComplexityReport) -> Value {
    let count = |band| report.analyses().iter().filter(|it| it.band() == band).count();
    json!({
        "taskCount": report.analyses().len(),
        "highComplexityTasks": count(Band::High),
        "mediumComplexityTasks": count(Band::Medium),
        "lowComplexityTasks": count(Band::Low),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scoped {
    updated_tasks: Vec<Box<RawValue>>,
    tasks_updated: usize,
    message: String,
    telemetry_data: Value,
}

fn scope_up(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    rescope(call, Direction::Up)
}

fn scope_down(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    rescope(call, Direction::Down)
}

fn rescope(call: &mut Call<'_>, direction: Direction) -> anyhow::Result<Answer> {
    let ids = TaskId::parse_list(call.arguments.required("id"))?;
    if let Some(id) = ids.iter().find(|it| it.is_subtask()) {
        let message = format!("{id} is a subtask, and only whole tasks are rewritten");
        return Err(advice(message, format!("Name its task: {}", id.parent())).into());
    }
    let strength: Strength =
        call.arguments.text("strength").map_or(Ok(Strength::default()), str::parse)?;
    let request = Scope {
        direction,
        strength,
        prompt: call.arguments.text("prompt").unwrap_or_default().to_owned(),
        report: ComplexityReport::find(&call.workspace.project.complexity_report(call.tag()))?,
    };
    let place = place(call);
    let answered = ask(call, role(call), direction.command(), async |asking| {
        scope(asking, &place, &ids, &request).await
    })?;
    for (waiting, gone) in answered.value.tasks.iter().flat_map(|it| &it.dropped) {
        call.report.warn(&format!("{waiting} does not wait for {gone} any more"));
    }
    let tasks = answered.value.tasks.iter();
    let tasks: Vec<Box<RawValue>> = tasks
        .map(|it| Ok(RawValue::from_string(it.task.to_json())?))
        .collect::<anyhow::Result<_>>()?;
    let way = match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    Answer::new(&Scoped {
        tasks_updated: tasks.len(),
        message: format!("Successfully scoped {way} {} task(s)", tasks.len()),
        updated_tasks: tasks,
        telemetry_data: answered.telemetry,
    })
}
