//! Titles out of a document's own words: of a heading without its number, of a requirement as much
//! as says what it is about.
//!
//! Start at [`of_heading`] and [`of_requirement`].

/// The longest title, in characters.
pub const TITLE_MAX: usize = 80;

/// A part of a requirement that ends here says enough.
const CLAUSE_MIN: usize = 24;

/// What stands before the colon of many requirements and says nothing about any of them.
const LABELS: &[&str] = &[
    "acceptance criteria",
    "approach",
    "benefit",
    "benefits",
    "criteria",
    "description",
    "details",
    "e.g",
    "epic",
    "example",
    "examples",
    "feature",
    "goal",
    "how it works",
    "i.e",
    "implementation",
    "important",
    "key points",
    "note",
    "objective",
    "outcome",
    "overview",
    "purpose",
    "rationale",
    "reason",
    "requirement",
    "requirements",
    "result",
    "story",
    "summary",
    "task",
    "todo",
    "user story",
    "what it does",
    "why it matters",
    "why it's important",
];

/// A heading without its number, its marks and what it ends with.
pub fn of_heading(heading: &str) -> String {
    let plain = plain(heading);
    let bare = without_label(without_number(&plain)).trim_end_matches([':', '.', ' ']);
    shortened(if bare.chars().any(char::is_alphabetic) { bare } else { plain.as_str() })
}

/// What a requirement is about: the words before its colon, or its first sentence or clause.
pub fn of_requirement(text: &str) -> String {
    let plain = plain(text);
    let said = without_label(without_label(without_number(&plain)));
    let lead = said.split_once(": ").map(|it| it.0).filter(|it| is_name(it));
    shortened(lead.unwrap_or_else(|| first_sentence(said)))
}

/// Without marks of Markdown that were none to its reader, and without boxes to tick.
fn plain(text: &str) -> String {
    let text = text.trim().replace("**", "").replace("__", "");
    let text = text.trim_start_matches(['#', '*', '>', '-', '•', ' ']);
    let boxes = ["[ ]", "[x]", "[X]", "✅", "☐"];
    let text = boxes.iter().find_map(|it| text.strip_prefix(it)).unwrap_or(text);
    text.trim().to_owned()
}

/// Without the `4.2`, `4.` or `(4)` that it begins with; a number that belongs to what is said
/// stays.
fn without_number(text: &str) -> &str {
    let Some((first, rest)) = text.split_once(' ') else { return text };
    let inner = first.trim_matches(['(', ')', '.', ':']);
    let is_number = !inner.is_empty()
        && inner.split('.').all(|it| !it.is_empty() && it.chars().all(|it| it.is_ascii_digit()));
    let is_marked = inner.contains('.') || first.ends_with(['.', ')', ':']);
    let rest = rest.trim_start_matches(['-', '–', ':', ' ']);
    if is_number && is_marked && says(rest) { rest } else { text }
}

fn without_label(text: &str) -> &str {
    let Some((label, rest)) = text.split_once(": ") else { return text };
    let label = label.trim().trim_end_matches('.').to_lowercase();
    let is_code = !label.contains(' ') && label.contains(|it: char| it.is_ascii_digit());
    let says_nothing = is_code || LABELS.contains(&label.as_str());
    if says_nothing && rest.contains(char::is_alphabetic) { rest.trim_start() } else { text }
}

/// Words before a colon that name what comes after it.
fn is_name(lead: &str) -> bool {
    let letters = lead.chars().filter(|it| it.is_alphanumeric()).count();
    letters >= 4 && lead.chars().count() <= 60 && !lead.contains(". ") && !lead.ends_with("e.g")
}

/// Up to the first stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    if let Some((first, _)) = text.split_once('。') {
        return first;
    }
    let stops = text.match_indices(". ").map(|it| it.0);
    let ends = |at: &usize| {
        let (before, after) = text.split_at(*at);
        let word = before.rsplit([' ', '(']).next().unwrap_or_default();
        let goes_on = after.get(2..).is_some_and(|it| it.starts_with(char::is_lowercase));
        before.chars().count() >= CLAUSE_MIN
            && says(before)
            && !word.contains('.')
            && word.len() > 2
            && !goes_on
    };
    stops.into_iter().find(ends).and_then(|it| text.get(..it)).unwrap_or(text)
}

fn says(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// At most [`TITLE_MAX`] characters: to the end of a clause where there is one, else of a word.
fn shortened(text: &str) -> String {
    let text = text.trim().trim_end_matches(['.', ':', ';', ',', ' ']);
    let Some((end, _)) = text.char_indices().nth(TITLE_MAX) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or(text);
    let clauses = [", ", "; ", " – ", " — ", " (", ": ", "，", "；", "、", "（", "："];
    let ends = clauses.iter().flat_map(|it| head.match_indices(it)).map(|it| it.0);
    let is_whole = |it: &&str| {
        let count = |character| it.matches(character).count();
        it.chars().count() >= CLAUSE_MIN && says(it) && count('(') == count(')')
    };
    let clause = ends.filter_map(|it| head.get(..it)).filter(is_whole).max_by_key(|it| it.len());
    if let Some(clause) = clause {
        return clause.trim_end_matches([',', ';', ' ']).to_owned();
    }
    let words = head.rsplit_once(' ').map(|it| it.0);
    // Where spaces are rare the last one may be far from the cut.
    let words = words.filter(|it| says(it) && it.len() * 2 > head.len()).unwrap_or(head);
    format!("{}…", words.trim_end_matches([',', ';', ':', '(', ' ']))
}

#[cfg(test)]
mod tests;
