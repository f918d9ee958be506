//! The answer as it is read: what the notes support, numbers, and where the numbers lead.

use tm_knowledge::index::search::place;

use super::{Citation, Note};
use crate::research::{
    claims::{Claim, Sentence, Verdict, check},
    finding::title,
    passages::one_line,
};

/// What is said with what is cited, the citations by number, and what became of each sentence.
///
/// When no sentence is left, the notes are the answer.
pub(super) fn written(
    sentences: &[Sentence],
    notes: &[Note],
) -> (String, Vec<Citation>, Vec<Claim>) {
    let texts: Vec<String> =
        notes.iter().map(|it| format!("{}: {}", title(&it.hit), it.text())).collect();
    let mut claims: Vec<Claim> = sentences
        .iter()
        .map(|sentence| {
            let (citations, support, verdict) = check(sentence, &texts);
            Claim { text: sentence.text.clone(), citations, support, verdict }
        })
        .collect();
    if claims.iter().all(|it| it.citations.is_empty()) {
        claims.extend(notes.iter().enumerate().map(|(index, note)| Claim {
            text: format!("“{}”", note.text()),
            citations: vec![index + 1],
            support: 1.0,
            verdict: Verdict::Quoted,
        }));
    }
    let mut order: Vec<usize> = Vec::new();
    for claim in &mut claims {
        for citation in &mut claim.citations {
            if !order.contains(citation) {
                order.push(*citation);
            }
            *citation = order.iter().position(|it| it == citation).unwrap_or_default() + 1;
        }
        claim.citations.sort_unstable();
    }
    let said = claims.iter().filter(|it| !it.citations.is_empty());
    let said: Vec<String> =
        said.map(|it| format!("{} {}", it.text, marks(&it.citations))).collect();
    let cited = order.iter().filter_map(|it| notes.get(it.checked_sub(1)?));
    let citations: Vec<Citation> =
        cited.enumerate().map(|(index, note)| note.citation(index + 1)).collect();
    let sources: Vec<String> = citations.iter().map(Citation::line).collect();
    (format!("{}\n\nSources:\n\n{}", said.join(" "), sources.join("\n")), citations, claims)
}

impl Note {
    pub(super) fn citation(&self, number: usize) -> Citation {
        let hit = &self.hit;
        Citation {
            number,
            location: hit.location.clone(),
            path: hit.path.clone(),
            title: hit.title.clone(),
            headings: hit.headings.clone(),
            first_line: hit.first_line,
            last_line: hit.last_line,
            page: hit.page,
            quotes: self.quotes.clone(),
        }
    }
}

impl Citation {
    fn line(&self) -> String {
        format!("- [{}] {}", self.number, self.quoted())
    }

    /// Where it is and what it says, in one line.
    pub(crate) fn quoted(&self) -> String {
        let quotes: Vec<String> = self.quotes.iter().map(|it| one_line(&it.text)).collect();
        let place = place(&self.path, self.page, self.first_line..=self.last_line);
        format!("{place}: “{}”", quotes.join(" … "))
    }
}

fn marks(numbers: &[usize]) -> String {
    numbers.iter().map(|it| format!("[{it}]")).collect::<Vec<_>>().concat()
}

/// A sentence without the marks that a model wrote into it: they are set from what it cites.
pub(super) fn without_marks(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        kept.push_str(before);
        match after.split_once(']') {
            Some((inside, after))
                if inside.chars().all(|it| it.is_ascii_digit() || " ,".contains(it)) =>
            {
                rest = after;
            }
            _ => {
                kept.push('[');
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    one_line(&kept).replace(" .", ".")
}
