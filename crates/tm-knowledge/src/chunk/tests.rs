use proptest::prelude::*;

use super::*;

fn words(count: usize) -> String {
    "A sentence of some words. ".repeat(count)
}

#[test]
fn sections_become_chunks_under_their_headings() {
    let text = format!(
        "# Manual\n\nShort.\n\n## Install\n\n{}\n\n### On *Linux*\n\n{}\n\n## Use\n\n{}\n",
        words(15),
        words(15),
        words(15)
    );
    let found: Vec<(Vec<String>, &str)> = chunks(Kind::Markdown, &text)
        .into_iter()
        .map(|it| (it.headings, text[it.span].lines().next().unwrap()))
        .collect();
    let path = |it: &[&str]| it.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            (path(&["Manual"]), "# Manual"),
            (path(&["Manual", "Install", "On Linux"]), "### On *Linux*"),
            (path(&["Manual", "Use"]), "## Use"),
        ]
    );
}

#[test]
fn source_code_is_divided_between_definitions() {
    let function = |name: &str| format!("fn {name}() {{\n{}}}\n", "    work();\n\n".repeat(70));
    let text = format!("{}\n{}\n{}", function("a"), function("b"), function("c"));
    let starts: Vec<&str> = chunks(Kind::Code, &text)
        .iter()
        .map(|it| text[it.span.clone()].lines().next().unwrap())
        .collect();
    assert_eq!(starts, ["fn a() {", "fn b() {", "fn c() {"]);
}

#[test]
fn front_matter_is_no_heading() {
    let text = format!("---\ntitle: A\n---\n\n# B\n\n{}", words(20));
    let chunks = chunks(Kind::Markdown, &text);
    assert_eq!(chunks.last().unwrap().headings, ["B"]);
}

#[test]
fn a_paragraph_that_is_too_long_is_divided_between_sentences() {
    let text = words(200);
    for chunk in chunks(Kind::Text, &text) {
        let piece = &text[chunk.span];
        assert!(piece.len() <= LONGEST && piece.ends_with('.'), "{piece}");
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_overlaps(
        text in "([#`*\\-|>] ?|[a-zé漢.]{1,9} |\n{1,3}|    |```\n|---\n){0,400}",
    ) {
        for kind in [Kind::Markdown, Kind::Text, Kind::Code] {
            let mut last = 0;
            for chunk in chunks(kind, &text) {
                prop_assert!(chunk.span.start >= last, "{kind:?}");
                prop_assert!(text.get(chunk.span.clone()).is_some_and(|it| !it.trim().is_empty()));
                prop_assert!(chunk.span.len() <= LONGEST);
                if kind != Kind::Markdown {
                    prop_assert_eq!(text[last..chunk.span.start].trim(), "");
                }
                last = chunk.span.end;
            }
            if kind != Kind::Markdown {
                prop_assert_eq!(text[last..].trim(), "");
            }
        }
    }
}

#[test]
fn a_chunk_is_on_one_page() {
    let text = format!("One.\n\n# {}\u{c}\u{c}Three.\u{c}{}", words(2), words(100));
    let found: Vec<(Option<usize>, &str)> = chunks(Kind::Pdf, &text)
        .into_iter()
        .map(|it| (page(Kind::Pdf, &it.headings), text[it.span].split(' ').next().unwrap()))
        .collect();
    assert_eq!(
        found,
        [(Some(1), "One.\n\n#"), (Some(3), "Three."), (Some(4), "A"), (Some(4), "A")]
    );
    assert_eq!(page(Kind::Markdown, &["Page 4".to_owned()]), None);
}
