//! What is open in JSON that is being written: texts, lists and objects.

/// How far the outline of a document has come. What is written is taken to be JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outline {
    containers: u16,
    text: Text,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

impl Outline {
    pub(super) fn is_text(self) -> bool {
        self.text != Text::Outside
    }

    /// How many things are open, one in the other.
    pub(super) fn open(self) -> u16 {
        self.containers.saturating_add(self.is_text().into())
    }

    pub(super) fn saw(&mut self, byte: u8) {
        self.text = match (self.text, byte) {
            (Text::Outside, b'"') | (Text::Escaped, _) => Text::Inside,
            (Text::Inside, b'"') => Text::Outside,
            (Text::Inside, b'\\') => Text::Escaped,
            (Text::Outside, b'{' | b'[') => {
                self.containers = self.containers.saturating_add(1);
                Text::Outside
            }
            (Text::Outside, b'}' | b']') => {
                self.containers = self.containers.saturating_sub(1);
                Text::Outside
            }
            (same, _) => same,
        };
    }
}
