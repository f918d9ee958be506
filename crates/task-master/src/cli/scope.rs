//! `scope-up` and `scope-down`: tasks are made larger or smaller.

use std::path::PathBuf;

use tm_tasks::{
    complexity::ComplexityReport,
    id::TaskId,
    scope::{Direction, Strength},
};
use tm_workflows::plan::scope::{Scope, Scoped, scope};

use super::{
    asking::{Manner, place, require, role},
    quality::{QualityArgs, ask_scored},
};
use crate::{
    app::App,
    report::{
        Report, advice,
        text::{DIM, Text},
    },
};

/// Make tasks larger or smaller
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Use this tasks file
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The tasks, such as `3`; several are separated by commas
    #[arg(long, short, value_name = "IDS")]
    id: Option<String>,

    /// How much: light, regular or heavy
    #[arg(long, short, value_name = "LEVEL", default_value = "regular")]
    strength: String,

    /// What to keep in mind
    #[arg(long, short, value_name = "TEXT")]
    prompt: Option<String>,

    /// Ask the research model, and tell it what documents say
    #[arg(long, short)]
    research: bool,

    #[command(flatten)]
    quality: QualityArgs,

    /// The tag that the tasks are in
    #[arg(long)]
    tag: Option<String>,
}

/// Runs `scope-up` or `scope-down`.
pub fn run(
    args: &Args,
    direction: Direction,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<()> {
    let ids = args.ids(direction)?;
    let strength: Strength = args.strength.parse()?;
    let workspace = app.open_tasks(args.file.as_deref(), report)?;
    let place = place(&workspace, args.tag.as_deref());
    require(&place, &ids)?;
    let complexity = ComplexityReport::find(&workspace.project.complexity_report(&place.tag));
    let complexity = complexity.unwrap_or_else(|error| {
        report.warn(&error.to_string());
        None
    });
    let request = Scope {
        direction,
        strength,
        prompt: args.prompt.clone().unwrap_or_default(),
        report: complexity,
    };
    let manner = Manner { role: role(args.research), when_interrupted: "nothing was changed" };
    let manner = (manner, &args.quality);
    let (asked, verdict) = ask_scored(&workspace, manner, report, async |asking| {
        scope(asking, &place, &ids, &request).await
    })?;
    print(&asked.value, direction, report);
    report.line(asked.cost(asked.value.usage));
    report.blank();
    if let Some(first) = ids.first() {
        report.suggest(&format!("task-master show {first}"), "how it reads now");
    }
    report.suggest("task-master undo", "as it was before");
    verdict.tell(report)
}

impl Args {
    fn ids(&self, direction: Direction) -> anyhow::Result<Vec<TaskId>> {
        let command = direction.command();
        let usage = format!("name one, such as `task-master {command} --id=3`");
        let text = self.id.as_deref().ok_or_else(|| advice("no task is named", usage))?;
        let ids = TaskId::parse_list(text)?;
        match ids.iter().find(|it| it.is_subtask()) {
            None => Ok(ids),
            Some(id) => {
                let hint = format!("name its task: {}", id.parent());
                Err(advice(format!("{command} changes whole tasks, not {id}"), hint).into())
            }
        }
    }
}

fn print(scoped: &Scoped, direction: Direction, report: &mut Report) {
    let how = match direction {
        Direction::Up => "larger",
        Direction::Down => "smaller",
    };
    report.blank();
    for rescoped in &scoped.tasks {
        let task = &rescoped.task;
        report.done(format!("Task {} is {how}: {}", task.id(), task.title()));
        if !task.subtasks().is_empty() {
            let line = format!("  {} subtasks now", task.subtasks().len());
            report.line(Text::styled(DIM, &line));
        }
        for (waiting, gone) in &rescoped.dropped {
            report.warn(&format!(
                "{waiting} waited for subtask {gone}, which was made anew, and does so no longer"
            ));
        }
    }
}
