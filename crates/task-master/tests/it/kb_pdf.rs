//! `kb` and PDF documents: what they say is found on its page, and what harms harms itself.

use serde_json::{Value, json};
use tm_testkit::pdf::{Document, bomb, lines};

use crate::project::Project;

fn handbook() -> Vec<u8> {
    let pages = [
        lines(&["Baking is done at night."]),
        lines(&["The oven is heated for two", "hours before the first loaf."]),
    ];
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    Document { pages: &pages, ..Document::default() }.bytes()
}

#[test]
fn what_a_document_says_is_found_on_its_page() {
    let project = Project::bakery();
    project.write("docs/handbook.pdf", handbook());
    let run = project.run(&["kb", "add", "docs"]);
    assert!(run.out.contains("✓ docs: 1 document (1 new, 0 changed, 0 gone)"), "{}", run.all());

    let found = project.json(&["kb", "search", "heated oven", "--kind=pdf", "--json"]);
    let hit = &found["hits"][0];
    assert_eq!(
        (&hit["page"], &hit["title"], &hit["text"]),
        (
            &json!(2),
            &json!("Ovens & care"),
            &json!("The oven is heated for two\nhours before the first loaf.")
        )
    );
    let run = project.run(&["kb", "search", "loaf"]);
    assert!(run.out.starts_with("1 handbook.pdf, page 2  docs Ovens & care\n"), "{}", run.out);
    let run = project.run(&["kb", "search", "page"]);
    assert_eq!(run.out, "Nothing in the documents has these words.\n");
    assert_eq!(project.json(&["kb", "verify", "--json"])["holds"], true);

    let again = project.json(&["kb", "update", "--json"]);
    assert_eq!(again["sources"][0]["result"]["unchanged"], 1);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    let project = Project::bakery();
    project.write("docs/bomb.pdf", bomb(2048).unwrap());
    project.write("docs/broken.pdf", "%PDF-1.7\nnothing else");
    project.write("docs/handbook.pdf", handbook());
    project.write(
        "docs/scan.pdf",
        Document { pages: &["0 0 9 9 re f"], ..Document::default() }.bytes(),
    );
    let added = project.json(&["kb", "add", "docs", "--json"]);
    let result = &added["sources"][0]["result"];
    let skipped: Vec<(&str, &str)> = result["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it[0].as_str().unwrap(), it[1].as_str().unwrap()))
        .collect();
    assert_eq!(
        skipped,
        [
            ("bomb.pdf", "it could not be read: it took too much memory, or the reader failed"),
            (
                "broken.pdf",
                "it is no PDF document that can be read: it is damaged, or something else"
            ),
            ("scan.pdf", "there is no text in it, only pictures; text recognition (OCR) adds it"),
        ]
    );
    assert_eq!(result["added"], 1);
    let found: Value = project.json(&["kb", "search", "loaf", "--json"]);
    assert_eq!(found["hits"][0]["path"], "handbook.pdf");
}
