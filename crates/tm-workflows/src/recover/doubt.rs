//! Whether a patch that makes a check pass has more to say for itself than that.
//!
//! A check looks at a few values. What returns these very values passes it, and so does a formula that
//! happens to be right for them. Both are told apart from what is known otherwise by words alone: whatever
//! is left in doubt is not called resolved. Start at [`Doubt`].

use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::Path,
};

use tm_knowledge::{read::language, terms::words};

use super::candidates::{Rules, deciding, is_code};
use crate::research::sources::SourceFile;

/// What is known about a check before anything was changed.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The values that the check and the tests look at.
    looked_at: HashSet<String>,
    /// How many of their lines do that.
    cases: usize,
    /// Words of the code.
    code: HashSet<String>,
    /// Words of what was looked up about the failure, and of the task.
    documents: HashSet<String>,
}

/// Why a patch is not believed although the check passes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// It has these values of the check, or others, of which neither code nor documents know.
    Values(Vec<String>),
    /// It changes more words than so few lines of a check can tell apart.
    Size { changed: usize, cases: usize },
}

/// So many words and signs may change for each line of the check that looks at a value. Chosen on the
/// projects of `eval/tuning`: 3 leaves the same wrong patches in doubt there as 2, and fewer right ones.
const CHANGED_PER_CASE: usize = 3;

/// In every program, and in no check for a reason.
const NO_VALUES: &[&str] = &["0", "1"];

/// Numbers that a program may have without anybody having named them.
const PLAIN: &[&str] = &["2", "10", "100"];

/// What a line has that compares something.
const COMPARES: &[&str] =
    &["assert", "expect", "should", "equal", "==", "!=", "test -", "[ ", "cmp ", "diff ", "grep "];

/// How lines begin that name and do not look.
const NAMES: &[&str] = &[
    "import ",
    "from ",
    "use ",
    "#",
    "//",
    "def ",
    "class ",
    "fn ",
    "func ",
    "it(",
    "test(",
    "describe(",
];

impl Evidence {
    /// Of the files as they were.
    pub(super) fn of(
        files: &[SourceFile],
        (rules, output): (Rules<'_>, &str),
        documents: &[&str],
    ) -> Self {
        // Tests look at values also where they may be changed.
        let tests = deciding(files, Rules { changes_tests: false, ..rules }, output);
        let mut evidence = Self::default();
        let lines = tests.iter().flat_map(|it| it.text.lines()).chain(rules.check.lines());
        for line in lines.map(str::trim) {
            if NAMES.iter().any(|it| line.starts_with(it)) || line.contains("require(") {
                continue;
            }
            let values = literals(line);
            let lower = line.to_ascii_lowercase();
            evidence.cases +=
                usize::from(!values.is_empty() && COMPARES.iter().any(|it| lower.contains(it)));
            evidence.looked_at.extend(values);
        }
        let ours = files.iter().filter(|it| !rules.keeps(&it.path) && is_code(&it.path));
        evidence.code = ours.flat_map(|it| known(&it.text)).collect();
        evidence.documents = documents.iter().flat_map(|it| known(it)).collect();
        evidence
    }

    /// What speaks against a patch, as git prints it.
    pub(super) fn doubt(&self, patch: &str) -> Option<Doubt> {
        let (added, removed) = changed(patch);
        let before: HashSet<String> = removed.iter().flat_map(|it| known(it)).collect();
        let mut values: Vec<String> = added
            .iter()
            .flat_map(|it| literals(it))
            .filter(|it| !before.contains(it) && self.is_strange(it))
            .collect();
        values.sort();
        values.dedup();
        if !values.is_empty() {
            return Some(Doubt::Values(values));
        }
        let (added, removed) = (tokens(&added), tokens(&removed));
        let changed = surplus(&added, &removed).max(surplus(&removed, &added));
        let cases = self.cases;
        (changed > CHANGED_PER_CASE * cases.max(1)).then_some(Doubt::Size { changed, cases })
    }

    /// Whether a new value comes from the check, or from nowhere.
    fn is_strange(&self, value: &str) -> bool {
        let is_number = value.bytes().all(|it| it.is_ascii_digit());
        if NO_VALUES.contains(&value) || self.documents.contains(value) {
            return false;
        }
        let is_in_code = self.code.contains(value);
        if self.looked_at.contains(value) {
            // A number that the code has, too, says nothing: it has many.
            return is_number || !is_in_code;
        }
        is_number && !is_in_code && !PLAIN.contains(&value)
    }
}

/// The lines that a patch adds and takes away, without what is said about them.
fn changed(patch: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let mut mark = None;
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("+++ ") {
            mark = language(Path::new(path)).and_then(comment_of);
        } else if let Some(line) = line.strip_prefix('+') {
            added.push(without_comment(line, mark));
        } else if let Some(line) = line.strip_prefix('-').filter(|it| !it.starts_with("-- ")) {
            removed.push(without_comment(line, mark));
        }
    }
    (added, removed)
}

/// What begins a comment in a language.
fn comment_of(language: &str) -> Option<&'static str> {
    match language {
        "python" | "ruby" | "shell" | "perl" | "r" | "elixir" | "yaml" | "toml" => Some("#"),
        "javascript" | "typescript" | "c" | "c++" | "c#" | "dart" | "go" | "java" | "kotlin"
        | "php" | "rust" | "scala" | "swift" | "zig" | "protobuf" => Some("//"),
        _ => None,
    }
}

/// A line up to the comment at its end, as long as no quotation is open there.
fn without_comment<'a>(line: &'a str, mark: Option<&str>) -> &'a str {
    let Some(mark) = mark else { return line };
    let mut open = None;
    let mut is_apart = true;
    for (at, next) in line.char_indices() {
        let rest = line.get(at..).unwrap_or_default();
        if open.is_none() && is_apart && rest.starts_with(mark) {
            return line.get(..at).unwrap_or_default();
        }
        match open {
            Some(quote) if quote == next => open = None,
            None if "'\"`".contains(next) => open = Some(next),
            Some(_) | None => {}
        }
        is_apart = next.is_whitespace();
    }
    line
}

/// What a line quotes, in words of three letters and in numbers, and the numbers that it has besides.
fn literals(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    let mut last = ' ';
    while let Some(next) = rest.chars().next() {
        rest = rest.get(next.len_utf8()..).unwrap_or_default();
        let quoted = if "'\"`".contains(next) { rest.split_once(next) } else { None };
        if let Some((quoted, after)) = quoted {
            let is_value = |it: &String| it.chars().count() > 2 || is_number(it);
            // The parameters of a shell are no numbers.
            let quoted = quoted.split('$').enumerate().map(|(at, it)| {
                if at == 0 { it } else { it.trim_start_matches(|it: char| it.is_ascii_digit()) }
            });
            found.extend(quoted.flat_map(words).filter(is_value).map(|it| plain(&it)));
            rest = after;
        } else if next.is_ascii_digit() && !(last.is_alphanumeric() || "_$&".contains(last)) {
            let end = rest.find(|it| !is_in_name(it)).unwrap_or(rest.len());
            found.extend(number(&format!("{next}{}", rest.get(..end).unwrap_or_default())));
        }
        last = next;
    }
    found
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|it| it.is_ascii_digit())
}

/// The words and the numbers of a text.
fn known(text: &str) -> impl Iterator<Item = String> {
    let numbers = text.split(|it| !is_in_name(it)).filter_map(number);
    words(text).map(|it| plain(&it)).chain(numbers)
}

fn is_in_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// What code may write in several ways, such as `1_500`, `0x2a`, `42L` and `1e6`, in digits only.
fn number(written: &str) -> Option<String> {
    let signs = written.replace('_', "").to_ascii_lowercase();
    let split = |signs: &str, radix| {
        let end = signs.find(|it: char| !it.is_digit(radix)).unwrap_or(signs.len());
        let (digits, rest) = signs.split_at_checked(end)?;
        Some((digits.to_owned(), rest.to_owned())).filter(|it| !it.0.is_empty())
    };
    for (mark, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some((digits, _)) = signs.strip_prefix(mark).and_then(|it| split(it, radix)) {
            return u128::from_str_radix(&digits, radix).ok().map(|it| it.to_string());
        }
    }
    let (digits, rest) = split(&signs, 10)?;
    let power = rest.strip_prefix('e').and_then(|it| split(it, 10)?.0.parse().ok());
    let noughts = "0".repeat(power.filter(|it| *it < 40).unwrap_or_default());
    Some(plain(&format!("{digits}{noughts}")))
}

/// A number without the noughts before it.
fn plain(word: &str) -> String {
    if !is_number(word) {
        return word.to_owned();
    }
    let digits = word.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}

/// Words, and every sign on its own.
fn tokens(lines: &[&str]) -> Vec<String> {
    let mut tokens = Vec::new();
    for line in lines {
        let mut was_word = false;
        for next in line.chars() {
            let is_word = next.is_alphanumeric() || next == '_';
            match tokens.last_mut() {
                Some(last) if is_word && was_word => String::push(last, next),
                _ if next.is_whitespace() => {}
                _ => tokens.push(next.to_string()),
            }
            was_word = is_word;
        }
    }
    tokens
}

/// How many of these are not among the others.
fn surplus(these: &[String], others: &[String]) -> usize {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for token in others {
        *left.entry(token).or_default() += 1;
    }
    let is_new = |it: &&String| match left.get_mut(it.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        Some(_) | None => true,
    };
    these.iter().filter(is_new).count()
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => {
                let values: Vec<String> = values.iter().map(|it| format!("`{it}`")).collect();
                let values = values.join(", ");
                write!(f, "nothing but the check says why it has {values}: it may be made for it")
            }
            Self::Size { changed, cases: 0 } => {
                write!(
                    f,
                    "it changes {changed} words and signs, and no line of the check that was seen looks at a value"
                )
            }
            Self::Size { changed, cases } => {
                let lines = if *cases == 1 { "line" } else { "lines" };
                write!(
                    f,
                    "it changes {changed} words and signs, and {cases} {lines} of the check can hardly tell what is right from what is right by chance"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
