//! The text of an answer as it comes, and the texts that end it.

use tm_llm::dialect::serve::ClientRequest;

/// The answer so far, and what may not be shown yet because it may begin a text that ends it.
#[derive(Debug, Default)]
pub(super) struct Text {
    shown: String,
    held: String,
    stop: Vec<String>,
    /// The one of the texts that end it which came.
    pub(super) ended_by: Option<String>,
}

impl Text {
    pub(super) fn new(request: &ClientRequest) -> Self {
        let stop = request.stop.iter().filter(|it| !it.is_empty()).cloned().collect();
        Self { stop, ..Self::default() }
    }

    /// Takes more text; what can be shown now, and whether the answer ends here.
    pub(super) fn push(&mut self, delta: String) -> (String, bool) {
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

    /// What was held back for nothing.
    pub(super) fn rest(&mut self) -> String {
        let rest = std::mem::take(&mut self.held);
        self.shown.push_str(&rest);
        rest
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
