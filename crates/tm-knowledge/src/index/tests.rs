use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    search::Query,
    write::{Document, NewSource},
    *,
};

const OVEN: &str = "The oven is heated for two hours. Bread goes in at 250 degrees.";

struct Fixture {
    directory: TempDir,
    index: Index,
    source: i64,
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("knowledge/index.sqlite")
}

fn source(name: &str) -> NewSource {
    NewSource { location: format!("/nowhere/{name}"), name: name.into(), ..NewSource::default() }
}

fn fixture(texts: &[(&str, &str)]) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let mut index = Index::create(&file(&directory)).unwrap();
    let source = index.add_source(&source("manual"), 1).unwrap().id;
    let documents: Vec<Document> =
        texts.iter().map(|(path, text)| Document::of_text(path, path, text)).collect();
    index.write(source, &documents).unwrap();
    Fixture { directory, index, source }
}

fn found(index: &Index, query: &Query) -> Vec<String> {
    index.search(query).unwrap().into_iter().map(|it| it.path).collect()
}

#[test]
fn what_is_known_is_found_by_its_words_and_cited_by_its_bytes() {
    let text = format!("First.\n\n{}\n\n{OVEN}\n", "Filling. ".repeat(175));
    let known = fixture(&[("oven", &text), ("orders", "Customers order until six.")]);
    let hits = known.index.search(&Query::new("How are ovens heated?", 5)).unwrap();
    let hit = &hits[0];
    // The other piece is found by its title.
    assert_eq!((hits.len(), hit.path.as_str()), (2, "oven"));
    assert_eq!(text[hit.span.clone()], hit.text);
    assert_eq!((hit.first_line, hit.last_line, hit.text.as_str()), (5, 5, OVEN));
    assert_eq!(known.index.text(hit.chunk).unwrap().as_deref(), Some(OVEN));
}

#[test]
fn nothing_in_a_question_is_an_operator() {
    let known = fixture(&[("oven", OVEN)]);
    for question in
        ["", "?!", "\"", "oven NOT bread", "text:oven", "oven*", "NEAR(oven bread)", "a' OR 1"]
    {
        known.index.search(&Query::new(question, 5)).unwrap();
    }
    assert_eq!(found(&known.index, &Query::new("oven NOT bread", 5)), ["oven"]);
}

#[test]
fn near_copies_and_further_pieces_of_a_document_make_place_for_others() {
    let pieces: Vec<String> =
        (0..6).map(|it| format!("Oven {it}: {}", format!("word{it} ").repeat(180))).collect();
    let long = pieces.join("\n\n");
    let copy = OVEN.replace("Bread", "bread");
    let known = fixture(&[("a", OVEN), ("b", &copy), ("long", &long)]);
    let paths = found(&known.index, &Query::new("oven", 10));
    assert_eq!(paths.iter().filter(|it| *it == "long").count(), 3, "{paths:?}");
    assert_eq!(paths.iter().filter(|it| *it != "long").count(), 1, "{paths:?}");
}

#[test]
fn filters_leave_out_what_was_not_asked_for() {
    let mut known = fixture(&[("oven", OVEN)]);
    let other = known.index.add_source(&source("other"), 1).unwrap().id;
    let code = Document {
        kind: Kind::Code,
        modified_s: Some(100),
        ..Document::of_text("oven.rs", "oven.rs", "fn heatOven() { preheat() }")
    };
    known.index.write(other, &[code]).unwrap();
    let query = Query::new("oven", 5);
    let check = |query: Query, expected: &[&str]| {
        assert_eq!(found(&known.index, &query), expected, "{query:?}");
    };
    assert_eq!(found(&known.index, &query).len(), 2);
    check(Query { sources: vec![other], ..query.clone() }, &["oven.rs"]);
    check(Query { kinds: vec![Kind::Text], ..query.clone() }, &["oven"]);
    check(Query { since_s: Some(100), ..query.clone() }, &["oven.rs"]);
    check(Query { since_s: Some(101), ..query.clone() }, &[]);
}

#[test]
fn a_document_is_replaced_and_a_source_removed_with_all_its_words() {
    let mut known = fixture(&[("oven", OVEN)]);
    let before = known.index.search(&Query::new("oven", 1)).unwrap()[0].chunk;
    let revision = known.index.revision().unwrap();
    known.index.write(known.source, &[Document::of_text("oven", "oven", "A kiln.")]).unwrap();
    assert_ne!(known.index.revision().unwrap(), revision);
    assert_eq!(known.index.text(before).unwrap(), None);
    assert_eq!(found(&known.index, &Query::new("heated", 5)), [""; 0]);
    assert_eq!(found(&known.index, &Query::new("kiln", 5)), ["oven"]);

    known.index.remove_source(known.source).unwrap();
    assert_eq!(found(&known.index, &Query::new("kiln", 5)), [""; 0]);
    let stats = known.index.stats().unwrap();
    assert_eq!((stats.sources, stats.documents, stats.chunks), (0, 0, 0));
    assert!(matches!(known.index.source("manual"), Err(IndexError::NoSource { .. })));
}

#[test]
fn a_source_keeps_what_was_said_about_it() {
    let mut known = fixture(&[]);
    let said = NewSource { licence: Some("MIT".into()), ..source("manual") };
    known.index.add_source(&said, 2).unwrap();
    let again = known.index.add_source(&source("manual"), 3).unwrap();
    assert_eq!((again.id, again.added_s, again.licence.as_deref()), (known.source, 1, Some("MIT")));
    for name in ["manual", "/nowhere/manual", &known.source.to_string()] {
        assert_eq!(known.index.source(name).unwrap().id, known.source);
    }
}

#[test]
fn a_span_that_says_something_else_is_found() {
    let known = fixture(&[("oven", OVEN), ("orders", "Customers order until six.")]);
    let verified = known.index.verify().unwrap();
    assert!(verified.holds() && verified.chunks == 2, "{verified:?}");
    assert_eq!(verified.missing, ["oven", "orders"]);
    assert_eq!(verified.unlicensed, ["manual"]);

    // Two citations change places.
    let raw = Connection::open(file(&known.directory)).unwrap();
    raw.execute("UPDATE chunk SET document = 3 - document", []).unwrap();
    let verified = known.index.verify().unwrap();
    assert_eq!((verified.holds(), verified.broken.len()), (false, 2));
}

#[test]
fn files_that_are_no_knowledge_base_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("index.sqlite");
    assert!(matches!(Index::open(&file), Err(IndexError::Missing { .. })));
    fs::write(&file, "This is no database, but a text of more than sixteen bytes.").unwrap();
    assert!(matches!(Index::open(&file), Err(IndexError::Damaged(_))));
    fs::remove_file(&file).unwrap();
    Index::create(&file).unwrap();
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 9).unwrap();
    assert!(matches!(Index::open(&file), Err(IndexError::Version { .. })));
    let blocked = file.join("below/index.sqlite");
    assert!(matches!(Index::create(&blocked), Err(IndexError::Uncreatable { .. })));
}

#[test]
fn a_knowledge_base_from_before_there_were_vectors_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("index.sqlite");
    let old = Connection::open(&file).unwrap();
    old.execute_batch(include_str!("schema.sql")).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute("INSERT INTO source (location, name, added_s) VALUES ('/', 'old', 1)", []).unwrap();
    drop(old);
    let index = Index::open(&file).unwrap();
    assert_eq!(index.source("old").unwrap().documents, 0);
    assert_eq!((index.embedded().unwrap(), index.count_unembedded().unwrap()), (None, 0));
    Index::open(&file).unwrap();
}

#[test]
fn a_document_without_spaces_is_found_by_the_words_in_it() {
    let known = fixture(&[
        ("烤箱", "烤箱预热两小时。面包在250度放进去。"),
        ("注文", "注文は六時までに受け付けます。"),
        ("주문", "주문은 여섯 시까지 받습니다."),
    ]);
    let check = |question: &str, expected: &str| {
        assert_eq!(found(&known.index, &Query::new(question, 5)), [expected], "{question}");
    };
    check("面包什么时候放？", "烤箱");
    check("何時まで受け付けますか", "注文");
    check("주문을 언제까지 받나요", "주문");
}

#[test]
fn a_knowledge_base_whose_words_only_spaces_parted_goes_on() {
    let known = fixture(&[("oven", OVEN), ("烤箱", "烤箱预热两小时。")]);
    let old = Connection::open(file(&known.directory)).unwrap();
    old.execute_batch(
        "DELETE FROM words WHERE rowid = 2;
         INSERT INTO words (rowid, title, text) VALUES (2, '烤箱', '烤箱预热两小时。');
         PRAGMA user_version = 2;",
    )
    .unwrap();
    assert_eq!(found(&known.index, &Query::new("预热", 5)), [""; 0]);
    let index = Index::open(&file(&known.directory)).unwrap();
    assert_eq!(found(&index, &Query::new("预热", 5)), ["烤箱"]);
    assert_eq!(found(&index, &Query::new("heated", 5)), ["oven"]);
}

#[test]
fn what_others_do_meanwhile_is_waited_for_and_then_said() {
    let mut known = fixture(&[("oven", OVEN)]);
    let other = Connection::open(file(&known.directory)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    known.index.connection.busy_timeout(Duration::from_millis(1)).unwrap();
    assert!(matches!(known.index.remove_source(known.source), Err(IndexError::Busy)));
    assert_eq!(found(&known.index, &Query::new("oven", 5)), ["oven"]);
}

#[test]
fn what_was_written_before_an_interruption_is_there() {
    let known = fixture(&[("oven", OVEN)]);
    // Another process writes, and is gone before it commits.
    let mut other = Connection::open(file(&known.directory)).unwrap();
    let transaction = other.transaction().unwrap();
    transaction.execute("DELETE FROM document", []).unwrap();
    drop(transaction);
    drop(other);
    let again = Index::open(&file(&known.directory)).unwrap();
    assert_eq!(found(&again, &Query::new("oven", 5)), ["oven"]);
    assert!(again.verify().unwrap().holds());
}
