use proptest::prelude::*;

use super::*;

/// One line a unit: kind, section path, text.
fn units(text: &str) -> String {
    let prd = Prd::read(text).unwrap();
    let lines = prd.units.iter().map(|it| {
        let kind = match it.kind {
            UnitKind::Requirement => "R",
            UnitKind::Context => "c",
            UnitKind::Excluded => "x",
        };
        assert!(!text[it.span.clone()].trim().is_empty(), "{it:?}");
        format!("{kind} {} > {}", prd.path(it.section).join("/"), it.text)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn list_items_rows_and_paragraphs_are_units_under_their_headings() {
    let text = "\
# Notes app
Keeps notes.

## Features
- **Search**: full text with `SQLite FTS5`
  - highlights matches
  - ranks by date

  A second paragraph of the item.
- Sync
  between two machines

| Limit | Value |
|---|---|
| Notes | 10,000 |

## Out of scope
* Sharing with others
";
    insta::assert_snapshot!(units(text), @r"
    c Notes app > Keeps notes.
    R Notes app/Features > Search: full text with SQLite FTS5
    R Notes app/Features > highlights matches
    R Notes app/Features > ranks by date
    R Notes app/Features > A second paragraph of the item.
    R Notes app/Features > Sync between two machines
    R Notes app/Features > Notes | 10,000
    x Notes app/Out of scope > Sharing with others
    ");
}

#[test]
fn a_heading_in_a_code_fence_is_no_heading() {
    let text = "# A\n```\n# install\nmake\n```\n## Requirements\n- fast start\n";
    insta::assert_snapshot!(units(text), @r"
    c A > # install make
    R A/Requirements > fast start
    ");
}

#[test]
fn overviews_explain_and_their_musts_are_requirements() {
    let text = "# Shop\n## Overview\nA small shop. \n\nIt must work offline.\n\
                ## Goals\n- more sales\n## Checkout\nAcceptance criteria:\n- pays by card\n";
    insta::assert_snapshot!(units(text), @r"
    c Shop/Overview > A small shop.
    R Shop/Overview > It must work offline.
    c Shop/Goals > more sales
    c Shop/Checkout > Acceptance criteria:
    R Shop/Checkout > pays by card
    ");
}

#[test]
fn the_order_of_the_work_is_no_work() {
    let text = "# Logical Dependency Chain\n- the cart comes first\n- it must be quick\n\
                # Cart\n- holds 50 items\n";
    insta::assert_snapshot!(units(text), @r"
    c Logical Dependency Chain > the cart comes first
    R Logical Dependency Chain > it must be quick
    R Cart > holds 50 items
    ");
}

#[test]
fn plain_text_with_indents_and_tags_is_read_line_by_line() {
    let text = "<context>\nA bot that answers.\n</context>\n<PRD>\n# Core\n    - greets people\n    - says goodbye kindly\n</PRD>\n";
    insta::assert_snapshot!(units(text), @r"
    R  > A bot that answers.
    R Core > greets people
    R Core > says goodbye kindly
    ");
}

#[test]
fn a_document_of_prose_alone_is_all_requirement() {
    insta::assert_snapshot!(units("# Overview\nUsers write notes and search them.\n"), @"R Overview > Users write notes and search them.");
}

#[test]
fn a_wall_of_text_is_split_into_its_sentences() {
    let sentence = "The bot greets every person who writes to it for the first time. ";
    let prd = Prd::read(&sentence.repeat(12)).unwrap();
    assert_eq!(prd.units.len(), 12);
    assert!(prd.units.iter().all(|it| it.text == sentence.trim()), "{prd:?}");
}

#[test]
fn what_is_no_text_is_an_error() {
    let read = |bytes: &[u8]| Prd::from_bytes(bytes).map(|it| it.1.units.len());
    assert_eq!(read(b""), Err(PrdError::Empty));
    assert_eq!(read(b" \n\t\n---\n"), Err(PrdError::Empty));
    assert_eq!(read(b"\x7fELF\x02\x01\0\0"), Err(PrdError::NotText("byte 6 is zero".into())));
    assert_eq!(read(b"abc\xff\xfe"), Err(PrdError::NotText("byte 3 is not UTF-8".into())));
    assert_eq!(read("\u{feff}# A\r\n- one thing\r\n".as_bytes()), Ok(1));
}

proptest! {
    #[test]
    fn every_text_reads_and_every_span_holds_the_unit(text in "([#*\\-|>` \n\ta-zé1.:<]|```|must ){0,200}") {
        if let Ok(prd) = Prd::read(&text) {
            let mut last = 0;
            for unit in &prd.units {
                prop_assert!(text.get(unit.span.clone()).is_some(), "{unit:?}");
                prop_assert!(unit.section < prd.sections.len());
                prop_assert!(unit.span.start >= last || unit.span.end > last, "{unit:?}");
                last = unit.span.start;
            }
        }
    }
}

proptest! {
    #[test]
    fn places_in_the_text_are_places_in_the_file(
        lines in prop::collection::vec("(- )?[a-zé]{1,6} [a-z]{1,4}", 1..12),
        ends in prop::collection::vec(any::<bool>(), 12),
        has_mark in any::<bool>(),
    ) {
        let mut file = if has_mark { "\u{feff}".to_owned() } else { String::new() };
        for (line, is_long) in lines.iter().zip(ends) {
            file += line;
            file += if is_long { "\r\n" } else { "\n" };
        }
        let (text, prd) = Prd::from_bytes(file.as_bytes()).unwrap();
        let origin = Origin::of(file.as_bytes());
        for unit in &prd.units {
            let span = origin.span(&unit.span);
            let there = file.get(span.start..span.end).unwrap().replace("\r\n", "\n");
            prop_assert_eq!(there.as_str(), text.get(unit.span.clone()).unwrap());
        }
    }
}

#[test]
fn plain_text_with_numbered_chapters_and_tabbed_rows_is_read_as_such() {
    let text = "Leave App\n1. Features\nCode\tFunction\tWhat it does\n\
                F1\tRequests\tEmployees ask for leave\nF2\tApproval\tManagers approve it\n\
                2. Stack\nIt runs on .NET 8.\n";
    insta::assert_snapshot!(units(text), @r"
    c  > Leave App
    R Features > F1 | Requests | Employees ask for leave
    R Features > F2 | Approval | Managers approve it
    R Stack > It runs on .NET 8.
    ");
}

#[test]
fn the_span_of_a_paragraph_starts_below_its_heading() {
    let prd = Prd::read("# A\nfirst words\n# B\nother words\n").unwrap();
    assert_eq!(prd.units[1].span, 20..31);
}

#[test]
fn what_the_document_is_called_decides_nothing() {
    let text = "# Overview of the shop\n## Cart\n- holds 50 items\n## Why\n- it is asked for\n";
    insta::assert_snapshot!(units(text), @r"
    R Overview of the shop/Cart > holds 50 items
    c Overview of the shop/Why > it is asked for
    ");
}

#[test]
fn a_list_that_is_called_future_work_is_not_to_be_built() {
    let text = "# Shop\n## Roadmap\n- **First version:**\n  - a cart\n- **Future enhancements**\n  \
                - a wish list\n    - with friends\n- Orders by mail\n\nOut of scope:\n\n- payment by \
                invoice\n\nFuture improvements are decided later.\n\n- returns by post\n\
                - Orders won't get lost\n  - they are stored twice\n";
    insta::assert_snapshot!(units(text), @r"
    c Shop/Roadmap > First version:
    R Shop/Roadmap > a cart
    x Shop/Roadmap > Future enhancements
    x Shop/Roadmap > a wish list
    x Shop/Roadmap > with friends
    R Shop/Roadmap > Orders by mail
    x Shop/Roadmap > Out of scope:
    x Shop/Roadmap > payment by invoice
    R Shop/Roadmap > Future improvements are decided later.
    R Shop/Roadmap > returns by post
    R Shop/Roadmap > Orders won't get lost
    R Shop/Roadmap > they are stored twice
    ");
}

#[test]
fn what_gives_a_reason_or_tells_of_the_document_demands_nothing() {
    let text = "# Shop\n## Title:\nThe shop of the bakery\n## Cart\n- **What it does:** holds 50 items\n\
                - **Why it's important:** people buy more\n- **Why so:** it must be fast\n\
                - **User persona:** a baker who knows no computers\n";
    insta::assert_snapshot!(units(text), @r"
    c Shop/Title: > The shop of the bakery
    R Shop/Cart > What it does: holds 50 items
    c Shop/Cart > Why it's important: people buy more
    R Shop/Cart > Why so: it must be fast
    c Shop/Cart > User persona: a baker who knows no computers
    ");
}
