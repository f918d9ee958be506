//! Subtasks written one at a time, each about its own part of the task's words.
//!
//! A small model that writes all subtasks in one answer says the same of each. So the task's words are
//! divided here, as `parse-prd` divides a document, and each subtask is written with no other words in
//! view. Start at [`parts`].

use std::{iter, ops::RangeInclusive};

use futures_util::future::try_join_all;
use serde_json::json;
use tm_llm::structured::StructuredError;
use tm_tasks::{
    complexity::Analysis,
    divide::SubtaskDraft,
    document::Tag,
    notes::split_notes,
    plan::{
        affinity::wait_for_related,
        alike,
        assemble::{Draft, without_detours},
        parts::parts as divided,
    },
    prd::{Prd, Unit},
    task::Task,
};
use tokio::sync::{Semaphore, watch};

use super::{
    Drafted, Expand,
    question::{context, words},
};
use crate::{
    asking::{AskError, Asking, Question, Spent, object},
    escalation::Grades,
    evaluate::grade,
    language::is_in_another,
    plan::{
        change::ChangeError,
        said::{Asked, Detail, Member, Mending, Weakness, first_words, properties},
    },
    prompts::EXPAND_PART,
    research::looked_up::looked_up,
};

/// Fewer steps say too little; more are no subtask.
const STEPS: RangeInclusive<usize> = 2..=4;

/// How many subtasks a task gets where nobody said so.
const COUNT: RangeInclusive<usize> = 3..=8;

/// How many words say what a part is about.
const ABOUT_WORDS: usize = 16;

/// What stands in a task's details over the words that its document has for it.
const REQUIREMENTS: &str = "\n\nRequirements:\n";

/// Headings for what leads the division, as steps of the work do, and for what joins where it has most
/// words in common.
const LEADING: &str = "Task list";
const JOINING: &str = "Requirements";

/// What a subtask is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    lines: Vec<String>,
    /// Those of the lines that stand in the subtask word for word, so that no name or number is lost on the
    /// way: what the document requires, or else what the task says.
    requirements: Vec<String>,
    /// Which of how many subtasks this is that are about these words.
    step: usize,
    steps: usize,
}

/// The words of a task, divided among `count` subtasks; none where it says too little for that, or
/// shows code, which cannot be divided.
pub(super) fn parts(task: &Task, count: Option<usize>) -> Option<Vec<Part>> {
    let details = task.details().unwrap_or_default();
    let details = split_notes(&details).0;
    if details.contains("```") {
        return None;
    }
    let (steps, requirements) = details.split_once(REQUIREMENTS).unwrap_or((&details, ""));
    let [steps, requirements] = [steps, requirements].map(lines);
    let wanted = count.unwrap_or_else(|| {
        steps.len().max(requirements.len()).div_ceil(2).clamp(*COUNT.start(), *COUNT.end())
    });
    let is_led_by_requirements = requirements.len() >= wanted.min(steps.len());
    let (leading, joining) =
        if is_led_by_requirements { (&requirements, &steps) } else { (&steps, &requirements) };
    if leading.len() < 2 || leading.len() * 2 < wanted {
        return None;
    }
    let list = |heading, lines: &[String]| {
        let each = lines.iter().flat_map(|it| ["\n- ", it]);
        iter::once(heading).chain(each).collect::<String>()
    };
    let text = format!("# {}\n\n# {}\n", list(LEADING, leading), list(JOINING, joining));
    let prd = Prd::read(&text).ok()?;
    let unit = |it: &usize| prd.units.get(*it);
    let required =
        if is_led_by_requirements || requirements.is_empty() { LEADING } else { JOINING };
    let is_required = |it: &&Unit| prd.path(it.section).last() == Some(&required);
    let text = |it: &Unit| it.text.clone();
    let part = |it: tm_tasks::plan::parts::Part| {
        let units: Vec<&Unit> = it.units.iter().filter_map(unit).collect();
        let lines: Vec<String> = units.iter().copied().map(text).collect();
        let requirements: Vec<String> =
            units.iter().copied().filter(is_required).map(text).collect();
        (1..=it.tasks).map(move |step| Part {
            lines: lines.clone(),
            requirements: requirements.clone(),
            step,
            steps: it.tasks,
        })
    };
    Some(divided(&prd, wanted).into_iter().flat_map(part).collect())
}

/// What a text says, line by line or, where it is one, sentence by sentence, without numbers and marks.
fn lines(text: &str) -> Vec<String> {
    let Ok(prd) = Prd::read(text) else { return Vec::new() };
    prd.units.into_iter().map(|it| it.text).collect()
}

/// Has the subtasks written, as many at once as the backend works on.
pub(super) async fn drafted(
    asking: Asking<'_>,
    tag: &Tag,
    task: &Task,
    (request, parts): (&Expand, &[Part]),
    (spent, turns): (&Spent, &Semaphore),
) -> Result<Drafted, ChangeError> {
    let subtasks = Subtasks {
        asking,
        task,
        request,
        parts,
        context: context(&asking, tag, (task, request)),
        documents: looked_up(&asking, &words(task, request)).await?,
        spent,
        turns,
    };
    let (line, _) = watch::channel(Vec::with_capacity(parts.len()));
    let settled = (0..parts.len()).map(|index| subtasks.settled(index, &line));
    let is_repaired = try_join_all(settled).await?.contains(&true);
    let mut drafts = line.borrow().clone();
    wait_for_related(&mut drafts);
    without_detours(&mut drafts);
    let subtasks = drafts.into_iter().enumerate().map(|(index, it)| subtask(index, it)).collect();
    Ok(Drafted { subtasks, is_repaired })
}

fn subtask(index: usize, draft: Draft) -> SubtaskDraft {
    let number = |index: usize| u64::try_from(index + 1).unwrap_or(u64::MAX);
    SubtaskDraft {
        number: Some(number(index)),
        title: draft.title,
        description: draft.description,
        details: draft.details,
        test_strategy: Some(draft.test_strategy),
        after: draft.after.into_iter().map(number).collect(),
    }
}

/// What all questions about one task share.
struct Subtasks<'a> {
    asking: Asking<'a>,
    task: &'a Task,
    request: &'a Expand,
    parts: &'a [Part],
    context: String,
    documents: String,
    spent: &'a Spent,
    turns: &'a Semaphore,
}

impl Subtasks<'_> {
    /// Has one written, and adds it to the `line` when those before it are there; whether it had to be
    /// asked for again.
    async fn settled(
        &self,
        index: usize,
        line: &watch::Sender<Vec<Draft>>,
    ) -> Result<bool, ChangeError> {
        let (detail, is_repaired) = self.written(index).await?;
        let mut earlier = line.subscribe();
        // The other end is in our hands.
        let earlier = earlier.wait_for(|it| it.len() == index).await.map(|it| it.clone());
        let detail = self.unlike(index, detail, &earlier.unwrap_or_default()).await?;
        let requirements = self.parts.get(index).map(|it| it.requirements.as_slice());
        let requirements: Vec<&str> =
            requirements.unwrap_or_default().iter().map(String::as_str).collect();
        line.send_modify(|it| it.push(detail.draft(&requirements)));
        Ok(is_repaired)
    }

    /// Asks for one subtask, and once more where it is of no use: also says whether it was.
    async fn written(&self, index: usize) -> Result<(Detail, bool), ChangeError> {
        let _turn = self.turns.acquire().await;
        let question = self.question(index, false)?;
        let examples = question.text.clone();
        let asked = self.asked(index, &examples);
        let what = format!("subtask {}.{}", self.task.id(), index + 1);
        let read = |value| asked.read(value);
        let grades = |it: &(Detail, Vec<Weakness>)| graded(&it.0);
        let answer = self.asking.best((&what, question), self.spent, read, grades).await?;
        let ((mut detail, weaknesses), mut is_repaired) = (answer.value, answer.repaired.is_some());
        let weaknesses = if is_repaired { Vec::new() } else { weaknesses };
        for weakness in &weaknesses {
            if let Some(better) = self.mended(index, &detail, weakness).await? {
                (detail, is_repaired) = (better, true);
            }
        }
        Ok((detail, is_repaired))
    }

    /// The subtask with what is weak of it asked for again; none where that comes to nothing, for what is
    /// merely weak is better than that.
    async fn mended(
        &self,
        index: usize,
        detail: &Detail,
        weakness: &Weakness,
    ) -> Result<Option<Detail>, ChangeError> {
        let language = self.asking.language;
        let mending = Mending { detail, member: weakness.of, language };
        let question = self.question(index, weakness.of != Member::Title)?;
        let answer = if let Some((rest, schema)) = mending.question() {
            let text = format!("{}\n\n{rest}", question.text);
            let question = Question { text, accepted: schema.clone(), schema, ..question };
            let question = question.once_more(&weakness.fault);
            self.asking.object(question, self.spent, |it| mending.read(it)).await
        } else {
            let asked = self.asked(index, "");
            let question = question.once_more(&weakness.fault);
            self.asking.object(question, self.spent, |it| Ok(asked.read(it)?.0)).await
        };
        match answer {
            Ok(answer) => Ok(Some(answer.value)),
            Err(AskError::Object(StructuredError::Invalid { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The subtask, or another one where it says what one before it says. Where that one does, too, it is
    /// called by the task's own words.
    async fn unlike(
        &self,
        index: usize,
        detail: Detail,
        earlier: &[Draft],
    ) -> Result<Detail, ChangeError> {
        let title = self.task.title();
        let is_taken = |said: &str| {
            earlier.iter().map(|it| &it.title).chain([&title]).any(|it| alike(it, said))
        };
        let is_seen = |said: &str| earlier.iter().any(|it| it.test_strategy == said);
        let mut weaknesses = Vec::new();
        if is_taken(&detail.title) {
            let fault = format!("the title “{}” is taken", detail.title);
            weaknesses.push(Weakness { of: Member::Title, fault });
        }
        if is_seen(&detail.test_strategy) {
            let fault = "its check is that of another subtask".to_owned();
            weaknesses.push(Weakness { of: Member::Check, fault });
        }
        let mut better = detail;
        for weakness in &weaknesses {
            let _turn = self.turns.acquire().await;
            better = self.mended(index, &better, weakness).await?.unwrap_or(better);
        }
        if is_taken(&better.title) {
            let own = self.lines(index).iter().map(|it| first_words(it));
            if let Some(own) = own.into_iter().find(|it| !is_taken(it)) {
                better.title = own;
            }
        }
        Ok(better)
    }

    fn lines(&self, index: usize) -> &[String] {
        self.parts.get(index).map(|it| it.lines.as_slice()).unwrap_or_default()
    }

    fn asked<'a>(&'a self, index: usize, examples: &'a str) -> Asked<'a> {
        let (requirements, language) = (self.lines(index), self.asking.language);
        let is_translated = is_in_another(&requirements.join("\n"), language);
        Asked { requirements, examples, language, is_translated }
    }

    /// Who is asked again has seen the examples, and may have copied one.
    fn question(&self, index: usize, again: bool) -> Result<Question, ChangeError> {
        let about = |it: &Part| {
            let words = it.lines.first().map(String::as_str).unwrap_or_default();
            words.split_whitespace().take(ABOUT_WORDS).collect::<Vec<_>>().join(" ")
        };
        let analysis = self.request.analysis(self.task);
        let part = self.parts.get(index);
        let variables = json!({
            "context": self.context,
            "count": self.parts.len(),
            "title": self.task.title(),
            "description": self.task.description(),
            "parts": self.parts.iter().map(about).collect::<Vec<_>>(),
            "advice": analysis.and_then(Analysis::expansion_prompt),
            "reasoning": analysis.and_then(Analysis::reasoning),
            "prompt": self.request.prompt.trim(),
            "documents": self.documents,
            "number": index + 1,
            "lines": self.lines(index),
            "step": part.map_or(1, |it| it.step),
            "steps": part.map_or(1, |it| it.steps),
            "again": again,
        });
        let schema = object(&properties(self.asking.language, STEPS));
        let text = self.asking.prompts.render(EXPAND_PART, variables)?;
        Ok(Question { text, accepted: schema.clone(), schema, temperature: 0.3, max_tokens: 600 })
    }
}

fn graded(detail: &Detail) -> Grades {
    Grades::of([grade([
        &detail.title,
        &detail.description,
        &detail.details,
        &detail.test_strategy,
    ])])
}

#[cfg(test)]
mod tests;
