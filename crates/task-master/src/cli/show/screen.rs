//! How one task looks: what it is, what it is about, its subtasks, what to do next.

use serde_json::Value;
use tm_tasks::{
    complexity::{Analysis, ComplexityReport},
    graph::Graph,
    id::TaskId,
    status::Status,
    task::Task,
};

use crate::{
    cli::marks::{self, count},
    report::{
        Report,
        table::Table,
        text::{BOLD, DIM, PLAIN, Text},
    },
};

/// Long lines are hard to read, however wide the terminal is.
const LINE_MAX: usize = 100;
const INDENT: usize = 2;

/// The tasks of a tag, of which some are shown.
pub(super) struct Screen {
    graph: Graph,
    /// Which subtasks are shown; empty for all.
    subtask_statuses: Vec<Status>,
    complexity: Option<ComplexityReport>,
}

pub(super) fn print_not_found(id: &TaskId, tag: &str, report: &mut Report) {
    report.line("Task not found!");
    report.line(Text::styled(DIM, &format!("There is no task {id} in tag {tag}.")));
    report.suggest("task-master list", "see which tasks there are");
}

impl Screen {
    pub(super) fn new(
        tasks: &[Task],
        subtask_statuses: Vec<Status>,
        complexity: Option<ComplexityReport>,
    ) -> Self {
        Self { graph: Graph::new(tasks), subtask_statuses, complexity }
    }

    pub(super) fn print(&self, task: &Task, report: &mut Report) {
        let id = task.id();
        let title = Text::styled(DIM, &format!("{id}  ")).and(BOLD, &task.title());
        report.lines(title.wrap(width(report)));
        report.blank();
        self.print_attributes(task, report);
        for (name, heading) in SECTIONS {
            print_section(task, name, heading, report);
        }
        let analysis = self.complexity.as_ref().and_then(|it| it.analysis(&id));
        if let Some(reasoning) = analysis.and_then(Analysis::reasoning) {
            print_text("Why it is that complex", &Value::String(reasoning), report);
        }
        self.print_subtasks(task, report);
        print_faults(task, report);
        if !task.status().is_complete() {
            report.blank();
            marks::suggest_status(task, report);
        }
    }

    fn print_attributes(&self, task: &Task, report: &mut Report) {
        let id = task.id();
        print_attribute("Status", marks::status(&task.status()), report);
        print_attribute("Priority", marks::priority(task.priority().as_ref()), report);
        let dependencies = marks::ids(&self.graph, task.dependencies(), usize::MAX);
        print_attribute("Dependencies", dependencies, report);
        if id.is_subtask() {
            print_attribute("Part of", id.parent().to_string().into(), report);
        } else {
            let blocks = marks::ids(&self.graph, self.graph.dependents(&id), usize::MAX);
            print_attribute("Blocks", blocks, report);
        }
        for (name, label) in ATTRIBUTES {
            if let Some(value) = value(task, name) {
                print_attribute(label, one_line(&value).into(), report);
            }
        }
    }

    fn print_subtasks(&self, task: &Task, report: &mut Report) {
        let all = task.subtasks();
        if all.is_empty() {
            return;
        }
        let done = all.iter().filter(|it| it.status().is_done()).count();
        let heading = format!("Subtasks  {done} of {} done", all.len());
        print_heading(&heading, report);
        let mut table = Table::new(&["ID", "Title", "Status", "Dependencies"], "Title");
        let is_shown = |it: &&Task| {
            self.subtask_statuses.is_empty() || self.subtask_statuses.contains(&it.status())
        };
        for subtask in all.iter().filter(is_shown) {
            table.push(vec![
                Text::styled(DIM, &subtask.id().to_string()),
                subtask.title().into(),
                marks::status(&subtask.status()),
                marks::ids(&self.graph, subtask.dependencies(), usize::MAX),
            ]);
        }
        let columns = report.columns().map(|it| it.saturating_sub(INDENT));
        let lines = table.lines(columns).map(indented);
        report.lines(lines);
    }
}

/// Short facts, shown in a row of their own where a task has them.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("complexity", "Complexity"),
    ("category", "Category"),
    ("skills", "Skills"),
    ("assignee", "Assignee"),
    ("effort", "Effort"),
    ("tags", "Tags"),
    ("updatedAt", "Updated"),
];

const SECTIONS: &[(&str, &str)] = &[
    ("description", "Description"),
    ("details", "Details"),
    ("testStrategy", "Test strategy"),
    ("acceptanceCriteria", "Acceptance criteria"),
    ("implementationApproach", "Implementation approach"),
    ("technicalConstraints", "Technical constraints"),
    ("scopeBoundaries", "Scope"),
    ("relevantFiles", "Relevant files"),
    ("codebasePatterns", "Codebase patterns"),
    ("existingInfrastructure", "Existing infrastructure"),
];

fn print_attribute(label: &str, text: Text, report: &mut Report) {
    report.line(Text::styled(DIM, &format!("{label:<14}")).and_text(text));
}

fn print_heading(heading: &str, report: &mut Report) {
    report.blank();
    report.line(Text::styled(BOLD, heading));
}

fn print_section(task: &Task, name: &str, heading: &str, report: &mut Report) {
    if let Some(value) = value(task, name) {
        print_text(heading, &value, report);
    }
}

fn print_text(heading: &str, value: &Value, report: &mut Report) {
    let width = width(report).saturating_sub(INDENT);
    print_heading(heading, report);
    for paragraph in paragraphs(value) {
        // What is indented in the text stays so, down to the last of its lines.
        let text = paragraph.trim_start();
        let depth = (paragraph.len() - text.len()).min(width / 2);
        let lines = Text::plain(text).wrap(width - depth);
        let indent = " ".repeat(depth);
        report.lines(lines.into_iter().map(|it| indented(Text::plain(&indent).and_text(it))));
    }
}

fn print_faults(task: &Task, report: &mut Report) {
    let faults = task.faults();
    if faults.is_empty() {
        return;
    }
    print_heading(&count(faults.len(), "fault"), report);
    report.lines(faults.iter().map(|it| indented(it.to_string().into())));
}

fn indented(text: Text) -> Text {
    Text::styled(PLAIN, &" ".repeat(INDENT)).and_text(text)
}

fn width(report: &Report) -> usize {
    report.columns().unwrap_or(LINE_MAX).min(LINE_MAX)
}

/// What a field says, if it says anything.
fn value(task: &Task, name: &str) -> Option<Value> {
    let value: Value = match task.text(name) {
        Some(text) => Value::String(text),
        None => serde_json::from_str(task.raw(name)?).ok()?,
    };
    let is_empty = match &value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    (!is_empty).then_some(value)
}

/// Any value as lines for people: files hold texts where lists belong, and the other way round.
fn paragraphs(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.trim_end().lines().map(|it| it.replace('\t', "    ")).collect(),
        Value::Array(items) => items.iter().map(|it| format!("- {}", one_line(it))).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, it)| format!("{name}: {}", one_line(it))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![one_line(value)],
    }
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(one_line).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .values()
            .map(one_line)
            .filter(|it| !it.is_empty())
            .collect::<Vec<_>>()
            .join(" – "),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
