use std::path::PathBuf;

use tm_knowledge::{
    index::{Index, write::NewSource},
    read::pdf::process::PdfReader,
    sync::sync,
};
use tm_testkit::model::{Reply, ScriptedModel};

use super::*;
use crate::asking::fixture::asking;

fn ours() -> QuestionSet {
    read_set(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/answers")).unwrap()
}

fn library(set: &QuestionSet) -> Library {
    let mut index = Index::in_memory().unwrap();
    let location = set.documents.to_str().unwrap().to_owned();
    let new = NewSource { location, name: "documents".into(), ..NewSource::default() };
    let source = index.add_source(&new, 0).unwrap();
    let no_pdf = PdfReader::new("none".into(), &[]);
    sync(&mut index, &source, &no_pdf, 0, &|_| ()).unwrap();
    Library::new(index)
}

/// Chooses the first sentences that are shown, and repeats what it chose.
fn parrot() -> ScriptedModel {
    ScriptedModel::new(|request| {
        let asked = request.messages.last().map_or("", |it| it.content.as_str());
        Reply::Text(if asked.contains("Sentences from documents") {
            r#"{"sentences": [1, 2]}"#.to_owned()
        } else if asked.contains("Notes, each after its number") {
            let note = asked.lines().find_map(|it| it.strip_prefix("1. ")).unwrap();
            let text = note.split_once(") ").unwrap().1;
            serde_json::json!({"sentences": [{"text": text, "notes": [1]}]}).to_string()
        } else {
            r#"{"says": true}"#.to_owned()
        })
    })
}

#[test]
fn our_set_is_large_and_every_answer_is_in_its_document() {
    let set = ours();
    let documents = tm_knowledge::walk::files(&set.documents).files.len();
    let unanswerable = set.questions.iter().filter(|it| !it.is_answerable()).count();
    assert!(documents >= 60, "{documents}");
    assert!(set.questions.len() >= 120, "{}", set.questions.len());
    assert!(unanswerable >= 30, "{unanswerable}");
}

#[tokio::test]
async fn words_alone_find_what_answers_most_of_its_questions() {
    let set = ours();
    let library = library(&set);
    let mut retrieved = Vec::new();
    for labelled in &set.questions {
        retrieved.push(retrieve(&library, labelled).await.unwrap());
    }
    let scores = scores(&set.documents, &set.questions, &retrieved, &[], 1);
    let recall = scores[&Measure::Recall];
    assert!(recall.mean >= 0.9 && recall.n == 98, "{recall:?}");
    assert_eq!(scores[&Measure::RecallByWords].mean.to_bits(), recall.mean.to_bits());
    assert!(!scores.contains_key(&Measure::Abstention));
}

#[tokio::test]
async fn quotations_open_and_shuffled_ones_do_not() {
    let set = ours();
    let library = library(&set);
    let model = parrot();
    let mut answered = Vec::new();
    for labelled in set.questions.iter().filter(|it| it.is_answerable()).step_by(9) {
        let question = &labelled.question;
        answered.push(ask(asking(&model), &library, Detail::Low, question).await.unwrap());
    }
    let score = |answered: &[Answered]| scores(&set.documents, &set.questions, &[], answered, 1);
    let whole = score(&answered);
    let validity = whole[&Measure::Validity];
    assert!(validity.n > 6 && validity.mean.to_bits() == 1.0_f64.to_bits(), "{validity:?}");
    assert!(whole[&Measure::CitationRecall].mean > 0.9, "{whole:?}");
    assert!(whole[&Measure::ByOthers].mean < 0.2, "{whole:?}");

    // Each quotation is said to be where the next one is.
    let mut places: Vec<(String, usize, usize)> = Vec::new();
    let each = |answered: &mut [Answered], visit: &mut dyn FnMut(&mut Citation, usize)| {
        for citation in answered.iter_mut().flat_map(|it| &mut it.cited.citations) {
            (0..citation.quotes.len()).for_each(|at| visit(citation, at));
        }
    };
    each(&mut answered, &mut |it, at| {
        places.push((it.path.clone(), it.quotes[at].start, it.quotes[at].end));
    });
    places.rotate_left(1);
    let mut places = places.into_iter();
    each(&mut answered, &mut |it, at| {
        let (path, start, end) = places.next().unwrap();
        it.path = path;
        it.quotes[at].start = start;
        it.quotes[at].end = end;
    });
    let shuffled = score(&answered)[&Measure::Validity];
    assert!(shuffled.mean < 0.5, "{shuffled:?}");
}

#[tokio::test]
async fn a_model_that_judges_is_asked_about_each_sentence_and_about_another_answers_citations() {
    let set = ours();
    let library = library(&set);
    let model = parrot();
    let mut answered = Vec::new();
    for labelled in set.questions.iter().filter(|it| it.is_answerable()).step_by(40) {
        let question = &labelled.question;
        answered.push(ask(asking(&model), &library, Detail::Low, question).await.unwrap());
    }
    let judged = judge(
        asking(&model),
        &answered[0],
        answered[0].another(&answered.iter().collect::<Vec<_>>()),
    )
    .await
    .unwrap();
    assert!(!judged.is_empty());
    // It says yes to everything, which the control shows.
    assert!(judged.iter().all(|it| it.is_supported && it.by_others == Some(true)), "{judged:?}");
}

#[track_caller]
fn refused(line: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("documents")).unwrap();
    fs::write(folder.path().join("documents/a.md"), "Sessions last\none day.\n").unwrap();
    fs::write(folder.path().join("questions.jsonl"), line).unwrap();
    let error = read_set(folder.path()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_set_that_would_measure_nothing_is_refused() {
    let said =
        r#"{"question": "How long?", "answers": [{"document": "a.md", "words": "last one day"}]}"#;
    refused("", "has no questions");
    refused(&format!("{said}\n{said}"), "line 2 asks what was asked before: How long?");
    refused(&said.replace("one", "two"), "line 1: a.md does not say “last two day”");
    refused(&said.replace("a.md", "b.md"), "line 1 names b.md, which is no document");
    refused(r#"{"question": "How long?"}"#, "line 1 of ");
}

#[test]
fn a_citation_that_adds_nothing_is_not_precise() {
    let check = |says: &dyn Fn(&[usize]) -> bool, expected: (bool, usize)| {
        let it = entailed::entailed(2, says, None);
        assert_eq!((it.is_supported, it.precise), expected);
    };
    check(&|cited| cited.contains(&0), (true, 1));
    check(&|cited| cited.len() == 2, (true, 2));
    check(&|_| true, (true, 2));
    check(&|_| false, (false, 0));
}

#[test]
fn even_all_of_few_is_not_sure() {
    let all = crate::evaluate::bootstrap::proportion(20, 20).unwrap();
    let interval = all.interval.unwrap();
    assert!(interval.low > 0.8 && interval.low < 0.9 && interval.high > 0.999, "{all:?}");
    assert_eq!(crate::evaluate::bootstrap::proportion(0, 0), None);
}
