//! Which units are requirements. Decided by headings and form, so that it can be explained.

use super::{Prd, UnitKind};

/// Headings over what is not to be built.
const EXCLUDED: &[&str] = &[
    "out of scope",
    "out-of-scope",
    "non-goal",
    "non goal",
    "not included",
    "not in scope",
    "exclusions",
    "future enhancement",
    "future consideration",
    "future work",
    "future phase",
    "future scope",
    "future feature",
    "future improvement",
    "won't",
    "will not do",
];

/// Headings over what explains.
const CONTEXT: &[&str] = &[
    "overview",
    "introduction",
    "background",
    "problem",
    "purpose",
    "vision",
    "mission",
    "executive summary",
    "summary",
    "audience",
    "target user",
    "persona",
    "stakeholder",
    "success metric",
    "success criteria",
    "done when",
    "kpi",
    "market",
    "competit",
    "timeline",
    "milestone",
    "schedule",
    "dependency chain",
    "development order",
    "implementation order",
    "build order",
    "budget",
    "risk",
    "assumption",
    "glossary",
    "definition",
    "reference",
    "appendix",
    "table of contents",
    "changelog",
    "change log",
    "revision",
    "document history",
    "version history",
    "open question",
    "business goal",
    "business objective",
    "project goal",
    "objectives",
    "goals",
    "value proposition",
    "approval",
    "contact",
    "about",
];

/// Headings that are requirements whatever stands above them.
const REQUIRED: &[&str] = &["requirement", "feature", "functional", "scope", "user stor", "epic"];

/// Words that make a sentence a demand wherever it stands.
const MODAL: &[&str] =
    &[" must ", " shall ", " has to ", " have to ", " needs to ", " required to "];

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
        let heading = heading.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|it| heading.contains(it));
        if has(EXCLUDED) {
            return UnitKind::Excluded;
        }
        if has(REQUIRED) {
            return UnitKind::Requirement;
        }
        let asks = ["why", "who "].iter().any(|it| heading.starts_with(it));
        if asks || has(CONTEXT) {
            return UnitKind::Context;
        }
    }
    // What a document says before its first chapter introduces it.
    let introduction = prd.sections.get(section).is_some_and(|it| it.level <= 1)
        && prd.sections.iter().any(|it| it.level > 1);
    if introduction { UnitKind::Context } else { UnitKind::Requirement }
}

fn unit_kind(section: UnitKind, text: &str) -> UnitKind {
    let padded = format!(" {} ", text.to_lowercase());
    match section {
        UnitKind::Excluded => UnitKind::Excluded,
        _ if is_label(text) => UnitKind::Context,
        UnitKind::Context if MODAL.iter().any(|it| padded.contains(it)) => UnitKind::Requirement,
        UnitKind::Context => UnitKind::Context,
        UnitKind::Requirement => UnitKind::Requirement,
    }
}

/// "Acceptance criteria:" introduces what follows; "Login" alone demands nothing.
fn is_label(text: &str) -> bool {
    let words = text.split_whitespace().count();
    words < 2 || (text.ends_with(':') && words <= 12)
}
