//! What differs between two runs and means nothing: moments, directories, random ids.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

/// Keys whose value is a moment, whatever it looks like.
pub(crate) const MOMENTS: &[&str] = &[
    "created",
    "updated",
    "createdAt",
    "updatedAt",
    "lastSwitched",
    "lastUpdated",
    "lastModified",
    "generatedAt",
    "timestamp",
    "migratedAt",
    "renamed",
    "copied",
];

/// Replaces what means nothing by a word for it.
pub(crate) struct Mask {
    places: Vec<(String, &'static str)>,
    now: Timestamp,
}

impl Mask {
    pub(crate) fn new(places: &[(&Path, &'static str)]) -> Self {
        let places = places.iter().map(|(path, word)| (path.to_str().unwrap().to_owned(), *word));
        Self { places: places.collect(), now: Timestamp::now() }
    }

    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (place, word) in &self.places {
            text = text.replace(place, word);
        }
        let mut masked = String::new();
        let mut rest = text.as_str();
        let mut before = ' ';
        while let Some(first) = rest.chars().next() {
            let found = if before.is_ascii_alphanumeric() { None } else { self.noise(rest) };
            let length = found.map_or(first.len_utf8(), |it| it.0);
            let (taken, left) = rest.split_at(length);
            masked.push_str(found.map_or(taken, |it| it.1));
            before = taken.chars().last().unwrap();
            rest = left;
        }
        masked
    }

    pub(crate) fn json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|it| self.json(it)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(key, it)| (self.text(key), self.json(it))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// How long a piece of noise at the beginning of `text` is, and the word for it.
    fn noise(&self, text: &str) -> Option<(usize, &'static str)> {
        if let Some(length) = shape(text, "dddd-dd-dd") {
            let day: Timestamp = format!("{}T12:00:00Z", text.get(..length)?).parse().ok()?;
            let is_recent = day.as_second().abs_diff(self.now.as_second()) <= 60 * 60 * 60;
            return is_recent.then(|| (length + clock(text.get(length..).unwrap_or("")), "<TIME>"));
        }
        let now = self.now.to_string();
        let year = now.get(..4)?;
        for pattern in ["dd/dd/dddd", "d/dd/dddd", "dd/d/dddd", "d/d/dddd"] {
            if let Some(length) = shape(text, pattern) {
                return text.get(..length)?.ends_with(year).then_some((length, "<DATE>"));
            }
        }
        if let Some(length) = shape(text, "ddddddddddddd") {
            return text.starts_with('1').then_some((length, "<EPOCH>"));
        }
        shape(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx").map(|it| (it, "<UUID>"))
    }
}

/// How long the time of day is that follows a date.
fn clock(text: &str) -> usize {
    let shapes = ["Tdd:dd:dd", " dd:dd:dd", "Tdd:dd", " dd:dd"];
    let Some(length) = shapes.iter().find_map(|it| shape(text, it)) else { return 0 };
    let rest = text.get(length..).unwrap_or_default();
    let fraction = rest
        .strip_prefix('.')
        .map_or(0, |it| 1 + it.bytes().take_while(u8::is_ascii_digit).count());
    let zone = rest.get(fraction..).is_some_and(|it| it.starts_with('Z'));
    length + fraction + usize::from(zone)
}

/// The pattern's length when the text begins like it: `d` is a digit, `x` a hexadecimal one.
fn shape(text: &str, pattern: &str) -> Option<usize> {
    let mut characters = text.chars();
    for wanted in pattern.chars() {
        let found = characters.next()?;
        let fits = match wanted {
            'd' => found.is_ascii_digit(),
            'x' => found.is_ascii_hexdigit(),
            other => found == other,
        };
        if !fits {
            return None;
        }
    }
    let is_whole = !characters.next().is_some_and(|it| it.is_ascii_digit());
    is_whole.then_some(pattern.len())
}

/// Whether a path fits a pattern in which `*` is anything.
pub(crate) fn fits(path: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => path == pattern,
        Some((start, rest)) => path.strip_prefix(start).is_some_and(|path| {
            (0..=path.len()).filter_map(|at| path.get(at..)).any(|path| fits(path, rest))
        }),
    }
}

#[test]
fn what_means_nothing_is_masked_and_what_means_something_is_not() {
    let mask = Mask::new(&[(Path::new("/tmp/x/project"), "<DIR>")]);
    let now = jiff::Timestamp::now().to_string();
    assert_eq!(mask.text(&format!("at {}", &now)), "at <TIME>");
    assert_eq!(mask.text("at 2025-01-01T00:00:00.000Z"), "at 2025-01-01T00:00:00.000Z");
    assert_eq!(mask.text("/tmp/x/project/a.json"), "<DIR>/a.json");
    assert_eq!(mask.text("1732473600000 and 12"), "<EPOCH> and 12");
    assert!(fits("a/b/c.md", "a/*.md") && !fits("a/b.txt", "*.md"));
}
