//! What a model is asked about a check that fails: what has to change, and how that file should read.
//!
//! What may change is a choice among what code found, and the model is held to it. The file itself is
//! asked for as text between fences: the same words as lines in JSON mended none of five projects with
//! Qwen2.5-Coder-1.5B, and numbers of lines to replace none of three, where this mended four of seven.
//! Which lines are different is found by code. Start at [`propose`].

use serde_json::{Value, json};
use tm_llm::{
    backend::BackendError,
    chat::{Message, Sampling},
};

use super::{
    candidates::Shown,
    step::{Action, Edit, Step},
};
use crate::{
    asking::{AskError, Asking, Question, Spent, object},
    prompts::{RECOVER_CHOICE, RECOVER_EDIT, RECOVER_SITUATION, RECOVER_WRITE},
};

/// What a model is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation<'a> {
    pub(super) check: &'a str,
    pub(super) allowed: &'a [String],
    pub(super) task: Option<&'a str>,
    pub(super) documents: &'a str,
    pub(super) files: &'a [Shown],
    /// The end of what the check printed.
    pub(super) output: &'a str,
    /// What was tried from the same state before.
    pub(super) earlier: &'a str,
    /// What was done since.
    pub(super) done: &'a str,
    /// The first attempt is 0.
    pub(super) number: u32,
}

/// Tokens of a choice, of a reason, and of what a file may have more than before.
const CHOICE_TOKENS: u32 = 200;
const MORE_TOKENS: u32 = 400;

/// Later attempts shall differ.
const TEMPERATURES: &[f32] = &[0.0, 0.6, 0.8, 1.0];

/// The lines of output that a model is shown, and how long each may be.
const OUTPUT_LINES: usize = 30;
const OUTPUT_COLUMNS: usize = 200;

/// Asks for one step; what is wrong with the answer where there is none in it.
///
/// # Errors
/// What keeps the model from answering, or that it chooses what there is not.
pub(super) async fn propose(
    asking: &Asking<'_>,
    situation: Situation<'_>,
    spent: &Spent,
) -> Result<Result<Step, String>, AskError> {
    let told = situation.told(asking)?;
    let (change, proof) = choose(asking, situation, &told, spent).await?;
    let Some(file) = situation.files.iter().find(|it| it.may_change && it.path == change) else {
        let cause = "the model chose this command".to_owned();
        return Ok(Ok(Step { cause, action: Action::Run(change), proof }));
    };
    let place = (!file.is_whole).then(|| file.place());
    let variables = json!({"situation": told, "path": file.path, "place": place});
    let question = asking.prompts.render(RECOVER_EDIT, &variables)?;
    let sampling = situation.sampling();
    let tokens = asking.backend.count_tokens(&file.lines.join("\n")).saturating_add(MORE_TOKENS);
    let asked = (question.clone(), &[][..]);
    let mut answer = asking.text_drawn(asked, tokens, sampling.clone(), spent).await?;
    if !answer.contains("```") {
        // Small models often stop after they have said why.
        let write = asking.prompts.render(RECOVER_WRITE, &variables)?;
        let since = [Message::assistant(&answer), Message::user(write)];
        match asking.text_drawn((question, &since), tokens, sampling, spent).await {
            Ok(written) => answer = format!("{answer}\n{written}"),
            // There was room for the first question, and there is for the next attempt.
            Err(AskError::Text(BackendError::ContextOverflow { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read(&answer, file).map(|(cause, edit)| Step { cause, action: Action::Edit(edit), proof }))
}

/// What has to be changed or run, and what proves it.
async fn choose(
    asking: &Asking<'_>,
    situation: Situation<'_>,
    told: &str,
    spent: &Spent,
) -> Result<(String, String), AskError> {
    let Situation { check, allowed, files, .. } = situation;
    let allowed = || allowed.iter().map(String::as_str);
    let files = files.iter().filter(|it| it.may_change).map(|it| it.path.as_str());
    let changes: Vec<&str> = files.chain(allowed()).collect();
    let proofs: Vec<&str> = [check].into_iter().chain(allowed()).collect();
    // Nothing is asked that can be answered in one way only.
    if let ([change], [proof]) = (&*changes, &*proofs) {
        return Ok(((*change).to_owned(), (*proof).to_owned()));
    }
    let mut properties = json!({"change": {"enum": changes}});
    if proofs.len() > 1 {
        properties["proof"] = json!({"enum": proofs});
    }
    let variables = json!({"situation": told, "commands": proofs.len() > 1});
    let question = Question {
        text: asking.prompts.render(RECOVER_CHOICE, variables)?,
        schema: object(&properties),
        accepted: json!({"type": "object", "required": ["change"]}),
        temperature: situation.sampling().temperature,
        max_tokens: CHOICE_TOKENS,
    };
    let answer = asking.object(question, spent, |value| {
        let chosen = |name, choices: &[&str]| {
            let chosen = value.get(name).and_then(Value::as_str).unwrap_or_default();
            let among = choices.contains(&chosen).then(|| chosen.to_owned());
            among.ok_or_else(|| format!("`{name}` must be one of: {}", choices.join(", ")))
        };
        let proof = if proofs.len() > 1 { chosen("proof", &proofs)? } else { check.to_owned() };
        Ok((chosen("change", &changes)?, proof))
    });
    Ok(answer.await?.value)
}

impl Situation<'_> {
    fn sampling(self) -> Sampling {
        let at = usize::try_from(self.number).unwrap_or_default();
        let temperature = TEMPERATURES.get(at).or(TEMPERATURES.last()).copied().unwrap_or_default();
        let default = Sampling::default();
        Sampling { temperature, seed: default.seed.wrapping_add(self.number.into()), ..default }
    }

    fn told(self, asking: &Asking<'_>) -> Result<String, AskError> {
        let files = self.files.iter().map(|it| {
            let place = (!it.is_whole).then(|| it.place());
            let text = it.lines.join("\n");
            json!({"path": it.path, "place": place, "may_change": it.may_change, "text": text})
        });
        let files: Vec<Value> = files.collect();
        let output = end_of(self.output);
        let texts = self.files.iter().flat_map(|it| &it.lines).map(String::as_str);
        let texts = texts.chain([&*output, self.earlier, self.done, self.task.unwrap_or_default()]);
        let variables = json!({
            "task": self.task,
            "documents": self.documents,
            "files": files,
            "check": self.check,
            "output": output,
            "earlier": self.earlier.trim_end(),
            "done": self.done.trim_end(),
            "fence": fence(texts),
        });
        Ok(asking.prompts.render(RECOVER_SITUATION, variables)?)
    }
}

/// Backquotes that none of these texts can end.
pub(super) fn fence<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let longest = texts.flat_map(|it| it.split(|it| it != '`')).map(str::len).max();
    "`".repeat(longest.unwrap_or_default().max(2) + 1)
}

/// The last lines of an output, none of them too long.
pub(super) fn end_of(output: &str) -> String {
    let lines: Vec<&str> = output.trim_end().lines().collect();
    let start = lines.len().saturating_sub(OUTPUT_LINES);
    let shown = lines.iter().skip(start).map(|line| {
        let clean = line.chars().filter(|it| !it.is_control() || *it == '\t');
        clean.take(OUTPUT_COLUMNS).collect::<String>()
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// The reason and the new lines of an answer.
fn read(answer: &str, file: &Shown) -> Result<(String, Edit), String> {
    let lines: Vec<&str> = answer.lines().collect();
    let is_fence = |it: &str| it.trim_start().starts_with("```");
    let fences: Vec<usize> =
        lines.iter().enumerate().filter(|it| is_fence(it.1)).map(|it| it.0).collect();
    let shared = |(open, close): &(usize, usize)| {
        let between = lines.get(open + 1..*close).unwrap_or_default();
        between.iter().filter(|it| file.lines.iter().any(|line| line.trim() == it.trim())).count()
    };
    let (open, close) = match &*fences {
        // A file that has fences itself is all between the first and the last of them.
        [open, .., close] if file.lines.iter().any(|it| is_fence(it)) => Some((*open, *close)),
        // Of several pieces the one that is this file; small models write the test, too.
        fences => {
            let pieces = fences.chunks_exact(2).filter_map(|it| Some((*it.first()?, *it.last()?)));
            pieces.rev().max_by_key(shared)
        }
    }
    .ok_or("it has no file between ``` and ```, or was cut off")?;
    let new = lines.get(open + 1..close).unwrap_or_default();
    if new.iter().all(|it| it.trim().is_empty()) {
        return Err("there is nothing between ``` and ```".to_owned());
    }
    let first = fences.first().copied().unwrap_or_default();
    let before = lines.get(..first).unwrap_or_default().join(" ");
    let cause = before.split_whitespace().collect::<Vec<_>>().join(" ");
    let cause = if cause.is_empty() { "the model did not say why".to_owned() } else { cause };
    Ok((cause, file.edit(new)))
}

impl Shown {
    /// Which part of the file this is.
    fn place(&self) -> String {
        let last = self.first + self.lines.len().saturating_sub(1);
        format!("lines {} to {last}", self.first)
    }

    /// What is different in lines that take the place of these.
    fn edit(&self, new: &[&str]) -> Edit {
        let old: Vec<&str> = self.lines.iter().map(|it| it.trim_end()).collect();
        let new: Vec<&str> = new.iter().map(|it| it.trim_end()).collect();
        let equal = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
            pairs.take_while(|(old, new)| old == new).count()
        };
        let above = equal(&mut old.iter().zip(&new));
        let rest = |lines: &[&str]| lines.len() - above;
        let below = equal(&mut old.iter().rev().zip(new.iter().rev()));
        let below = below.min(rest(&old)).min(rest(&new));
        let changed = new.get(above..new.len() - below).unwrap_or_default();
        Edit {
            path: self.path.clone(),
            first: self.first + above,
            last: (self.first + old.len()).saturating_sub(below + 1),
            new: changed.iter().map(|it| (*it).to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
