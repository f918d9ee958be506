//! Which units are requirements. Decided by headings and form, so that it can be explained.

use super::{Prd, UnitKind, phrases::Tells};
use crate::script::count_words;

/// Decides the kind of each unit.
pub(super) fn classify(prd: &mut Prd) {
    // What the whole document is called says nothing about its parts.
    let has_title = prd.sections.iter().filter(|it| it.level == 1).count() == 1;
    let title = has_title.then_some(prd.title.as_str());
    let sections: Vec<UnitKind> =
        (0..prd.sections.len()).map(|it| section_kind(prd, it, title)).collect();
    let kinds: Vec<UnitKind> = prd
        .units
        .iter()
        .map(|unit| {
            let section = sections.get(unit.section).copied().unwrap_or(UnitKind::Requirement);
            match (unit.kind, section) {
                (UnitKind::Excluded, _) => UnitKind::Excluded,
                (UnitKind::Context, UnitKind::Requirement) => UnitKind::Context,
                _ => unit_kind(section, &unit.text),
            }
        })
        .collect();
    // A document that is all overview is still a request to build something.
    let some = kinds.contains(&UnitKind::Requirement);
    for (unit, kind) in prd.units.iter_mut().zip(kinds) {
        let promoted = kind == UnitKind::Context && !some && !is_label(&unit.text);
        unit.kind = if promoted { UnitKind::Requirement } else { kind };
    }
}

/// The nearest heading that says something decides, but for the `title` of the document.
fn section_kind(prd: &Prd, section: usize, title: Option<&str>) -> UnitKind {
    for heading in prd.path(section).iter().rev().filter(|it| Some(**it) != title) {
        let tells = |it: Tells| it.in_heading(heading).is_some();
        if tells(Tells::Excluded) {
            return UnitKind::Excluded;
        }
        if tells(Tells::Required) {
            return UnitKind::Requirement;
        }
        let heading = heading.to_lowercase();
        let asks = ["why", "who "].iter().any(|it| heading.starts_with(it));
        if asks || tells(Tells::Context) {
            return UnitKind::Context;
        }
    }
    // What a document says before its first chapter introduces it.
    let introduction = prd.sections.get(section).is_some_and(|it| it.level <= 1)
        && prd.sections.iter().any(|it| it.level > 1);
    if introduction { UnitKind::Context } else { UnitKind::Requirement }
}

fn unit_kind(section: UnitKind, text: &str) -> UnitKind {
    match section {
        UnitKind::Excluded => UnitKind::Excluded,
        _ if is_label(text) => UnitKind::Context,
        _ if Tells::Demand.is_in_sentence(text) => UnitKind::Requirement,
        UnitKind::Requirement if !explains(text) => UnitKind::Requirement,
        UnitKind::Requirement | UnitKind::Context => UnitKind::Context,
    }
}

/// "Why it's important: …" gives the reason of a requirement beside it.
fn explains(text: &str) -> bool {
    let label = text.split_once([':', '：']).map(|it| it.0.to_lowercase()).unwrap_or_default();
    let is_short = count_words(&label) <= 4;
    let first = label.split_whitespace().next().unwrap_or_default();
    is_short && (first == "why" || ["rationale", "persona"].iter().any(|it| label.ends_with(it)))
}

/// "Acceptance criteria:" introduces what follows; "Login" alone demands nothing.
fn is_label(text: &str) -> bool {
    let words = count_words(text);
    words < 2 || (text.ends_with([':', '：']) && words <= 12)
}
