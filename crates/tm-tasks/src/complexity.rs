//! Complexity reports: how hard each task of a tag is, as a model saw it.
//!
//! A report is a file of its own, one for each tag, and says nothing about what the tasks are up
//! to. It is read leniently, and changed only by [`record`]: a run adds to it and replaces what it
//! looked at anew. Who analyses tasks is not known here. Start at [`ComplexityReport::read`].

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    document::Tag,
    id::TaskId,
    json::{self, Part, Record},
    settings::{self, SettingsError},
    store::StoreError,
    task::Task,
    timestamp::{Timestamp, iso_millis},
};

/// A whole report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComplexityReport {
    /// All but the analyses; the text of `complexityAnalysis` in it is only a placeholder.
    document: Record,
    analyses: Vec<Analysis>,
}

/// What is known about one task: a lenient view of an entry of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    fields: Record,
}

/// A fresh analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnalysis {
    pub task_id: TaskId,
    pub task_title: String,
    /// From 1 to 10.
    pub score: u8,
    pub recommended_subtasks: u64,
    pub expansion_prompt: String,
    pub reasoning: String,
}

/// All that one run found out, and how it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Also those of tasks that nobody asked about.
    pub analyses: Vec<NewAnalysis>,
    /// How many tasks were to be analysed.
    pub looked_at: usize,
    pub threshold: u8,
    pub project_name: String,
    pub used_research: bool,
}

/// What a report says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    pub generated_at: Option<String>,
    /// How many tasks the last run looked at.
    pub tasks_analyzed: Option<u64>,
    pub total_tasks: Option<u64>,
    pub threshold: Option<u64>,
    pub project_name: Option<String>,
    pub used_research: bool,
}

/// How hard a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// Below 5.
    Low,
    /// From 5 on.
    Medium,
    /// From 8 on.
    High,
}

/// Why a report cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Tasks have to be analysed first.
    #[error("there is no complexity report {path}")]
    Missing { path: PathBuf },
    /// The path or its permissions are wrong.
    #[error("{path} cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file must be mended by hand, or deleted.
    #[error("{path} is no complexity report: {reason}")]
    NotAReport { path: PathBuf, reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a run to the report at this path, which need not exist yet, and returns the report.
///
/// Analyses of other tasks stay. Those of tasks that `tasks`, the whole tag, no longer has go: ids
/// are given anew, and another task would inherit them. A file that is no report is left alone, so
/// look at it with [`ComplexityReport::find`] before a model works for it.
pub fn record(
    path: &Path,
    run: &Run,
    tasks: &[Task],
    now: Timestamp,
) -> Result<ComplexityReport, ReportError> {
    let mut report = ComplexityReport::default();
    settings::change_laid_out(path, json::format_with_tabs, |read| {
        report = match read.map_err(|error| ReportError::new(path, error)) {
            Ok(document) => ComplexityReport::from_record(document),
            Err(ReportError::Missing { .. }) => ComplexityReport::default(),
            Err(error) => return Err(error),
        };
        report.merge(run, tasks, now);
        Ok(report.to_record())
    })?;
    Ok(report)
}

impl ComplexityReport {
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let document = settings::read(path).map_err(|error| ReportError::new(path, error))?;
        Ok(Self::from_record(document))
    }

    /// The report, where there is one.
    pub fn find(path: &Path) -> Result<Option<Self>, ReportError> {
        match Self::read(path) {
            Ok(report) => Ok(Some(report)),
            Err(ReportError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All analyses in the file's order.
    pub fn analyses(&self) -> &[Analysis] {
        &self.analyses
    }

    /// What is known about a task; of several analyses, the last one.
    pub fn analysis(&self, task: &TaskId) -> Option<&Analysis> {
        self.analyses.iter().rfind(|it| it.task_id() == *task)
    }

    pub fn meta(&self) -> Meta {
        let meta = self.document.get("meta").and_then(Record::parse).unwrap_or_default();
        let number = |name| meta.get(name).and_then(number);
        let text = |name| meta.get(name).and_then(json::decode);
        Meta {
            generated_at: text("generatedAt"),
            tasks_analyzed: number("tasksAnalyzed").map(whole),
            total_tasks: number("totalTasks").map(whole),
            threshold: number("thresholdScore").map(whole),
            project_name: text("projectName"),
            used_research: meta.get("usedResearch") == Some("true"),
        }
    }

    /// Puts what is known about the tasks of a tag into their fields, for whoever shows them.
    pub fn annotate(&self, tag: &mut Tag) {
        let known: HashMap<TaskId, &Analysis> =
            self.analyses.iter().map(|it| (it.task_id(), it)).collect();
        for task in tag.tasks_mut() {
            let Some(analysis) = known.get(&task.id()) else { continue };
            let said = ANNOTATIONS.iter().filter_map(|(field, source)| {
                Some((*field, analysis.fields.get(source).filter(|it| *it != "null")?))
            });
            task.set_all(&said.collect::<Vec<_>>());
        }
    }

    /// The report as one JSON value, as its file has it.
    pub fn to_json(&self) -> String {
        json::format_with_tabs(&self.to_record().to_text())
    }

    fn merge(&mut self, run: &Run, tasks: &[Task], now: Timestamp) {
        let mut kept: HashSet<TaskId> = tasks.iter().map(Task::id).collect();
        for new in &run.analyses {
            kept.remove(&new.task_id);
        }
        self.analyses.retain(|it| kept.contains(&it.task_id()));
        self.analyses.extend(run.analyses.iter().map(Analysis::new));
        let meta = self.document.get("meta").and_then(Record::parse);
        let mut meta = meta.unwrap_or_default();
        let counts =
            [("totalTasks", json!(tasks.len())), ("analysisCount", json!(self.analyses.len()))];
        // A run that found nothing to look at says nothing about the whole.
        let counts = counts.into_iter().filter(|_| run.looked_at > 0);
        let start =
            [("generatedAt", json!(iso_millis(now))), ("tasksAnalyzed", json!(run.looked_at))];
        let end = [
            ("thresholdScore", json!(run.threshold)),
            ("projectName", json!(run.project_name)),
            ("usedResearch", json!(run.used_research)),
        ];
        for (name, value) in start.into_iter().chain(counts).chain(end) {
            meta.set(name, value.to_string());
        }
        self.document.set("meta", meta.to_text());
    }

    fn from_record(mut document: Record) -> Self {
        let entries = document.part(ANALYSES).into_iter().flat_map(Part::elements);
        let analyses = entries.filter_map(Record::of).map(|fields| Analysis { fields }).collect();
        document.set(ANALYSES, "[]");
        Self { document, analyses }
    }

    fn to_record(&self) -> Record {
        let mut text = String::new();
        json::write_array(&mut text, &self.analyses, |it, out| it.fields.write(out));
        let mut document = self.document.clone();
        document.set(ANALYSES, text);
        document
    }
}

impl Analysis {
    fn new(new: &NewAnalysis) -> Self {
        let id = new.task_id.number().map_or_else(|| json!(new.task_id.to_string()), Value::from);
        let mut fields = Record::default();
        for (name, value) in [
            ("taskId", id),
            ("taskTitle", json!(new.task_title)),
            ("complexityScore", json!(new.score)),
            ("recommendedSubtasks", json!(new.recommended_subtasks)),
            ("expansionPrompt", json!(new.expansion_prompt)),
            ("reasoning", json!(new.reasoning)),
        ] {
            fields.set(name, value.to_string());
        }
        Self { fields }
    }

    pub fn task_id(&self) -> TaskId {
        let id = self.fields.get("taskId").or_else(|| self.fields.get("id"));
        id.and_then(|it| TaskId::from_reference(it, None)).unwrap_or_else(|| TaskId::top(""))
    }

    pub fn task_title(&self) -> String {
        self.text("taskTitle").or_else(|| self.text("title")).unwrap_or_default()
    }

    /// From 1 to 10, if the file says so.
    pub fn score(&self) -> Option<f64> {
        self.fields.get("complexityScore").and_then(number)
    }

    /// A task without a score is of medium difficulty, as far as anybody knows.
    pub fn band(&self) -> Band {
        self.score().map_or(Band::Medium, Band::of)
    }

    pub fn recommended_subtasks(&self) -> Option<u64> {
        self.fields.get("recommendedSubtasks").and_then(number).map(whole)
    }

    /// What to tell a model that divides the task.
    pub fn expansion_prompt(&self) -> Option<String> {
        self.text("expansionPrompt")
    }

    /// Why the task is as hard as it is.
    pub fn reasoning(&self) -> Option<String> {
        self.text("reasoning").or_else(|| self.text("complexityReasoning"))
    }

    /// A text with something in it.
    fn text(&self, name: &str) -> Option<String> {
        self.fields.get(name).and_then(json::decode).filter(|it| !it.trim().is_empty())
    }
}

impl Band {
    pub fn of(score: f64) -> Self {
        if score >= 8.0 {
            Self::High
        } else if score >= 5.0 {
            Self::Medium
        } else {
            Self::Low
        }
    }
}

impl ReportError {
    fn new(path: &Path, error: SettingsError) -> Self {
        let path = path.to_path_buf();
        match error {
            SettingsError::Missing => Self::Missing { path },
            SettingsError::Unreadable(source) => Self::Unreadable { path, source },
            SettingsError::NotAnObject { reason } => Self::NotAReport { path, reason },
        }
    }
}

const ANALYSES: &str = "complexityAnalysis";

/// The fields of a task that say what its analysis says, and the field of that.
///
/// Programs that read these fields know the reasoning by its second name only.
const ANNOTATIONS: [(&str, &str); 4] = [
    ("complexity", "complexityScore"),
    ("recommendedSubtasks", "recommendedSubtasks"),
    ("expansionPrompt", "expansionPrompt"),
    ("complexityReasoning", "complexityReasoning"),
];

/// A number, also one in quotes.
fn number(json_text: &str) -> Option<f64> {
    let text = json::decode(json_text);
    let number: f64 = text.as_deref().unwrap_or(json_text).trim().parse().ok()?;
    number.is_finite().then_some(number)
}

fn whole(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is out of range becomes the nearest number that is not"
    )]
    let whole = number.round() as u64;
    whole
}

#[cfg(test)]
mod tests;
