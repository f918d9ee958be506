//! The text of an answer as it comes, the texts that end it, and the calls that come after it.

use tm_llm::{
    chat::FinishReason,
    dialect::serve::{ClientError, ClientRequest, ToolCall, tools::Reading},
};

/// The answer so far, and what may not be shown yet because it may begin a text that ends it.
#[derive(Debug)]
pub(super) struct Text {
    reading: Reading,
    /// What the model thought before.
    pub(super) thoughts: String,
    shown: String,
    held: String,
    stop: Vec<String>,
    /// The one of the texts that end it which came.
    pub(super) ended_by: Option<String>,
    /// What the model wants called; known at the end.
    pub(super) calls: Vec<ToolCall>,
}

impl Text {
    pub(super) fn new(request: &ClientRequest) -> Self {
        Self {
            reading: Reading::new(&request.form),
            thoughts: String::new(),
            shown: String::new(),
            held: String::new(),
            stop: request.stop.iter().filter(|it| !it.is_empty()).cloned().collect(),
            ended_by: None,
            calls: Vec::new(),
        }
    }

    /// Takes more of what the model writes; what can be shown now, and whether the answer ends here.
    pub(super) fn push(&mut self, delta: String) -> (String, bool) {
        let words = self.reading.push(delta);
        self.say(words)
    }

    /// Whether the answer has not begun.
    pub(super) fn may_think(&self) -> bool {
        self.shown.is_empty() && self.held.is_empty()
    }

    /// Takes more of what the model thinks before it answers.
    pub(super) fn think(&mut self, thought: &str) {
        if self.may_think() {
            self.thoughts.push_str(thought);
        }
    }

    fn say(&mut self, delta: String) -> (String, bool) {
        if self.stop.is_empty() {
            self.shown.push_str(&delta);
            return (delta, false);
        }
        self.held.push_str(&delta);
        let ends = self.stop.iter().filter_map(|it| Some((self.held.find(it.as_str())?, it)));
        let (end, ended_by) = ends.min_by_key(|(at, _)| *at).unzip();
        self.ended_by = ended_by.cloned();
        let show = end.unwrap_or_else(|| self.held.len() - self.half_of_a_stop());
        let rest = self.held.split_off(show);
        let shown =
            std::mem::replace(&mut self.held, if end.is_some() { String::new() } else { rest });
        self.shown.push_str(&shown);
        (shown, end.is_some())
    }

    /// The model has ended; what is shown of what was held back.
    ///
    /// # Errors
    /// [`ClientError::Failed`] when that is no answer of the form that was asked for.
    pub(super) fn end(&mut self, finish: FinishReason) -> Result<String, ClientError> {
        let (words, calls) = self.reading.end(finish)?;
        let (mut shown, has_ended) = self.say(words);
        if !has_ended {
            let rest = std::mem::take(&mut self.held);
            self.shown.push_str(&rest);
            shown.push_str(&rest);
            self.calls = calls;
        }
        Ok(shown)
    }

    pub(super) fn whole(&mut self) -> String {
        let rest = std::mem::take(&mut self.held);
        self.shown.push_str(&rest);
        std::mem::take(&mut self.shown)
    }

    /// How many bytes at the end begin one of the texts that end the answer.
    fn half_of_a_stop(&self) -> usize {
        let starts = self.stop.iter().flat_map(|stop| {
            stop.char_indices().skip(1).map(|(at, _)| stop.get(..at).unwrap_or_default())
        });
        starts.filter(|it| self.held.ends_with(it)).map(str::len).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
