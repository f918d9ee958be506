use std::cell::Cell;

use tempfile::TempDir;

use super::*;
use crate::{
    index::{file_of, search::Query, write::NewSource},
    read::zim::made::wiki,
};

struct Folder {
    directory: TempDir,
    index: Index,
    source: Source,
}

fn no_reader() -> PdfReader {
    PdfReader::new("/gone/task-master".into(), &[])
}

fn folder(files: &[(&str, &str)]) -> Folder {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("docs");
    fs::create_dir(&root).unwrap();
    for (path, text) in files {
        fs::write(root.join(path), text).unwrap();
    }
    let mut index = Index::create(&directory.path().join("knowledge/index.sqlite")).unwrap();
    let location = root.to_str().unwrap().to_owned();
    let new = NewSource { location, name: "docs".into(), ..NewSource::default() };
    let source = index.add_source(&new, 1).unwrap();
    Folder { directory, index, source }
}

impl Folder {
    fn sync(&mut self) -> Synced {
        sync(&mut self.index, &self.source, &no_reader(), 2, &|_| ()).unwrap()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join("docs").join(path)
    }

    fn finds(&self, question: &str) -> usize {
        self.index.search(&Query::new(question, 5)).unwrap().len()
    }
}

#[test]
fn only_what_changed_is_read_again() {
    let mut docs = folder(&[("a.md", "# Ovens"), ("b.md", "# Mixers"), ("c.txt", "Scales")]);
    let first = docs.sync();
    assert_eq!((first.added, first.chunks), (3, 3));
    assert_eq!(docs.index.source("docs").unwrap().read_s, Some(2));

    fs::write(docs.path("a.md"), "# Kilns").unwrap();
    fs::remove_file(docs.path("b.md")).unwrap();
    fs::write(docs.path("d.md"), "# Trays").unwrap();
    let second = docs.sync();
    assert_eq!(
        second,
        Synced { added: 1, changed: 1, unchanged: 1, removed: 1, chunks: 2, skipped: vec![] }
    );
    assert_eq!((docs.finds("ovens"), docs.finds("mixers"), docs.finds("kilns")), (0, 0, 1));
    assert!(docs.index.verify().unwrap().missing.is_empty());
}

#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    let mut docs = folder(&[("a.md", "# Ovens"), ("b.md", "# Mixers")]);
    // All that a run leaves that was stopped after its first batch.
    let document = Document {
        kind: crate::read::Kind::Markdown,
        ..Document::of_text("a.md", "Ovens", "# Ovens")
    };
    docs.index.write(docs.source.id, &[document]).unwrap();
    assert_eq!(docs.index.source("docs").unwrap().read_s, None);
    let synced = docs.sync();
    assert_eq!((synced.added, synced.unchanged), (1, 1));
}

#[test]
fn what_cannot_be_read_is_said_and_not_kept() {
    let mut docs = folder(&[("a.md", "# Ovens")]);
    docs.sync();
    fs::write(docs.path("a.md"), b"\xff\xfe").unwrap();
    let synced = docs.sync();
    assert_eq!(synced.skipped, [(PathBuf::from("a.md"), "it is not text in UTF-8".to_owned())]);
    assert_eq!((synced.removed, docs.finds("ovens")), (1, 0));
}

#[test]
fn many_files_are_several_batches_and_each_is_told() {
    let names: Vec<String> = (0..150).map(|it| format!("{it}.txt")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|it| (it.as_str(), it.as_str())).collect();
    let mut docs = folder(&files);
    let told = Cell::new(0);
    let observer = |progress: Progress| {
        told.set(told.get() + 1);
        assert_eq!((progress.done, progress.files), (told.get(), 150));
    };
    sync(&mut docs.index, &docs.source, &no_reader(), 2, &observer).unwrap();
    assert_eq!((told.get(), docs.index.stats().unwrap().documents), (150, 150));
}

const PAGES: &str = r#"{"hooks/usestate": "<h1>useState</h1><p>Keeps a value between renders.</p>",
    "index": "<h1>React</h1><p>A library for interfaces.</p>"}"#;
const ENTRIES: &str =
    r#"{"entries":[{"name":"useState()","path":"hooks/usestate","type":"Hooks"}]}"#;

#[test]
fn each_page_of_an_archive_is_a_document_of_its_own() {
    let mut folder = folder(&[
        ("db.json", PAGES),
        ("index.json", ENTRIES),
        ("meta.json", "{}"),
        ("index.html", "<p>A library for interfaces."),
        ("notes.md", "# Notes\n\nOurs.\n"),
    ]);
    assert_eq!(folder.sync().added, 3);
    let hits = folder.index.search(&Query::new("value between renders", 5)).unwrap();
    assert_eq!((&*hits[0].path, &*hits[0].title), ("db.json#hooks/usestate", "useState()"));
    assert_eq!(hits[0].text, "# useState\n\nKeeps a value between renders.");
    let synced = folder.sync();
    assert_eq!((synced.unchanged, synced.added, synced.removed), (3, 0, 0));
    // A page that says something else is known to, and one that is gone.
    let file = folder.path("db.json");
    fs::write(&file, PAGES.replace("Keeps a", "Holds a").replace("index", "intro")).unwrap();
    let verified = folder.index.verify().unwrap();
    assert_eq!(verified.changed, ["db.json#hooks/usestate"]);
    assert_eq!(verified.missing, ["db.json#index"]);
    let synced = folder.sync();
    assert_eq!((synced.changed, synced.added, synced.removed), (1, 1, 1));
    assert!(folder.index.verify().unwrap().holds());
}

#[test]
fn an_archive_that_is_damaged_or_made_to_do_harm_is_a_notice() {
    let deep = format!(r#"{{"deep": "{}", "fine": "<p>A page that is read."}}"#, "<b>".repeat(999));
    let mut folder = folder(&[("db.json", &deep), ("index.json", ENTRIES)]);
    let synced = folder.sync();
    assert_eq!((synced.added, synced.skipped.len()), (1, 1));
    assert_eq!(synced.skipped[0].0, Path::new("db.json#deep"));
    fs::write(folder.path("db.json"), "{").unwrap();
    let synced = folder.sync();
    assert_eq!((synced.removed, synced.skipped.len()), (1, 1));
    assert!(synced.skipped[0].1.contains("no archive of devdocs"), "{:?}", synced.skipped);
}

#[test]
fn files_that_are_only_called_like_an_archive_are_code() {
    let mut folder = folder(&[("db.json", PAGES), ("index.json", r#"{"posts": []}"#)]);
    assert_eq!(folder.sync().added, 2);
    assert!(folder.index.search(&Query::new("renders", 5)).unwrap()[0].path == "db.json");
}

#[test]
fn each_page_of_a_zim_archive_is_a_document_of_its_own() {
    let mut folder = folder(&[("notes.md", "# Notes")]);
    let rye = "<title>Sour</title><h1>Rye</h1><p>Rye wants a sour dough.";
    let spelt = "<title>Spelt</title><p>An old kind of wheat.";
    let old = wiki(&[("rye", "Rye bread", rye), ("spelt", "", spelt), ("oat", "", "<p>Oats.")]);
    fs::write(folder.path("wiki.zim"), old).unwrap();
    let synced = folder.sync();
    assert_eq!((synced.added, synced.skipped.len()), (4, 0), "{:?}", synced.skipped);
    let hits = folder.index.search(&Query::new("sour dough", 5)).unwrap();
    assert_eq!((&*hits[0].path, &*hits[0].title), ("wiki.zim#rye", "Rye bread"));
    let hits = folder.index.search(&Query::new("old wheat", 5)).unwrap();
    assert_eq!(&*hits[0].title, "Spelt");
    let hits = folder.index.search(&Query::new("oats", 5)).unwrap();
    assert_eq!(&*hits[0].title, "oat");
    assert_eq!(folder.sync().unchanged, 4);
    let verified = folder.index.verify().unwrap();
    assert!(verified.changed.is_empty() && verified.missing.is_empty(), "{verified:?}");
    // Another edition, in which a page says something else and one is gone.
    let rye = rye.replace("wants", "needs");
    let new = wiki(&[("rye", "Rye bread", &rye), ("spelt", "", spelt), ("corn", "", "<p>Maize.")]);
    fs::write(folder.path("wiki.zim"), new).unwrap();
    let verified = folder.index.verify().unwrap();
    assert_eq!(
        (verified.changed, verified.missing),
        (vec!["wiki.zim#rye".to_owned()], vec!["wiki.zim#oat".to_owned()],)
    );
    let synced = folder.sync();
    let counts = (synced.unchanged, synced.changed, synced.added, synced.removed);
    assert_eq!(counts, (2, 1, 1, 1));
}

#[test]
fn a_file_that_is_called_like_a_page_of_an_archive_is_a_file() {
    let mut folder = folder(&[("wiki.zim#rye.md", "Rye wants a sour dough.")]);
    assert_eq!(folder.sync().added, 1);
    let file = folder.path("wiki.zim#rye.md");
    let location = file.parent().unwrap().to_str().unwrap();
    assert_eq!(file_of(location, "wiki.zim#rye.md"), file);
    let verified = folder.index.verify().unwrap();
    assert!(verified.changed.is_empty() && verified.missing.is_empty(), "{verified:?}");
    fs::remove_file(file).unwrap();
    assert_eq!(folder.index.verify().unwrap().missing, ["wiki.zim#rye.md"]);
}

#[test]
fn an_archive_alone_is_a_source() {
    let mut folder = folder(&[]);
    fs::write(folder.path("wiki.zim"), wiki(&[("rye", "", "<p>Rye bread.")])).unwrap();
    let location = folder.path("wiki.zim").to_str().unwrap().to_owned();
    let new = NewSource { location, name: "wiki".into(), ..NewSource::default() };
    folder.source = folder.index.add_source(&new, 1).unwrap();
    assert_eq!(folder.sync().added, 1);
    let hits = folder.index.search(&Query::new("rye", 5)).unwrap();
    assert_eq!(&*hits[0].path, "wiki.zim#rye");
    assert!(folder.index.verify().unwrap().missing.is_empty());
}

#[test]
fn damaged_pages_of_an_archive_are_counted_after_the_first() {
    let names: Vec<String> = (0..100).map(|it| it.to_string()).collect();
    let mut pages: Vec<(&str, &str, &str)> = names.iter().map(|it| (&**it, "", "")).collect();
    pages.push(("rye", "", "<p>Rye."));
    let mut folder = folder(&[]);
    fs::write(folder.path("wiki.zim"), wiki(&pages)).unwrap();
    let synced = folder.sync();
    assert_eq!((synced.added, synced.skipped.len()), (1, MOST_NOTICES + 1));
    assert_eq!(synced.skipped[0], (PathBuf::from("wiki.zim#0"), "it has no text".to_owned()));
    let last = &synced.skipped[MOST_NOTICES];
    assert_eq!(last.1, "80 more of its pages cannot be read");
    fs::write(folder.path("wiki.zim"), &wiki(&pages)[..100]).unwrap();
    let synced = folder.sync();
    assert_eq!((synced.removed, synced.skipped.len()), (1, 1));
    assert!(synced.skipped[0].1.contains("no ZIM archive"), "{:?}", synced.skipped);
}
