use proptest::prelude::*;

use super::*;
use crate::{
    index::{
        search::{By, Meaning, Query},
        write::{Document, NewSource},
    },
    read::Kind,
};

const OVEN: &str = "The oven is heated for two hours.";
const ORDERS: &str = "Customers order until six.";
const LOGO: &str = "The logo is blue.";

fn maker(model: &str) -> Embedder {
    Embedder { model: model.into(), identity: format!("sha256:{model}") }
}

/// One dimension for each theme of the texts above.
fn vector(text: &str) -> Vec<f32> {
    ["oven", "order", "logo"].map(|it| if text.contains(it) { 2.0 } else { 0.1 }).to_vec()
}

fn known() -> (Index, i64) {
    let mut index = Index::in_memory().unwrap();
    let new = NewSource { location: "/manual".into(), name: "manual".into(), ..Default::default() };
    let source = index.add_source(&new, 1).unwrap().id;
    let documents = [("oven", OVEN), ("orders", ORDERS), ("logo", LOGO)]
        .map(|(path, text)| Document::of_text(path, path, text));
    index.write(source, &documents).unwrap();
    (index, source)
}

/// Gives vectors to all that have none, and tells to how many.
fn embed(index: &mut Index, by: &Embedder) -> usize {
    let mut count = 0;
    loop {
        let batch = index.unembedded(0, 2).unwrap();
        if batch.is_empty() {
            return count;
        }
        count += batch.len();
        let kept: Vec<_> = batch.iter().map(|it| (it, vector(&it.text))).collect();
        index.keep_vectors(by, &kept).unwrap();
    }
}

fn meaning(vector: &[f32], weight: f64) -> Meaning {
    Meaning { vector: vector.to_vec(), embedder: maker("small"), weight, nearest: None }
}

fn found(index: &Index, query: &Query) -> Vec<String> {
    index.search(query).unwrap().into_iter().map(|it| it.path).collect()
}

#[test]
fn what_is_meant_is_found_without_its_words() {
    let (mut index, _) = known();
    assert_eq!(embed(&mut index, &maker("small")), 3);
    let by = By::Meaning(meaning(&[0.0, 5.0, 1.0], 1.0));
    let query = Query { by, ..Query::new("When may people buy?", 2) };
    let hits = index.search(&query).unwrap();
    assert_eq!((hits.len(), hits[0].path.as_str()), (2, "orders"));
    assert!(hits[0].score > 0.95 && hits[1].score < 0.5, "{hits:?}");
    assert!(found(&index, &Query::new("When may people buy?", 2)).is_empty());
}

#[test]
fn both_together_find_what_either_finds_and_the_weight_decides() {
    let (mut index, _) = known();
    embed(&mut index, &maker("small"));
    let both = |weight| {
        let by = By::Both(meaning(&[0.0, 1.0, 0.1], weight));
        found(&index, &Query { by, ..Query::new("How is the oven heated?", 3) })
    };
    // The words name the oven, the vector means orders, and the logo is far from both.
    assert_eq!(both(0.5), ["oven", "orders", "logo"]);
    assert_eq!(both(40.0)[0], "orders");
    let query = Query { by: By::Both(meaning(&[0.0, 1.0, 0.1], 1.0)), ..Query::new("?", 3) };
    assert_eq!(found(&index, &query)[0], "orders");
}

#[test]
fn filters_hold_for_meanings() {
    let (mut index, source) = known();
    let code = Document { kind: Kind::Code, ..Document::of_text("order.rs", "o", "fn order() {}") };
    index.write(source, &[code]).unwrap();
    embed(&mut index, &maker("small"));
    let by = By::Meaning(meaning(&[0.0, 1.0, 0.0], 1.0));
    let query = Query { kinds: vec![Kind::Code], by, ..Query::new("", 9) };
    assert_eq!(found(&index, &query), ["order.rs"]);
    let nowhere = Query { sources: vec![source + 1], ..query };
    assert!(found(&index, &nowhere).is_empty());
}

#[test]
fn only_what_is_new_gets_a_vector_and_what_is_gone_loses_it() {
    let (mut index, source) = known();
    embed(&mut index, &maker("small"));
    let changed = [("oven", "The oven is broken."), ("logo", LOGO)];
    let changed = changed.map(|(path, text)| Document::of_text(path, path, text));
    index.write(source, &changed).unwrap();
    // Both were written anew, and one says what it said.
    assert_eq!(index.count_unembedded().unwrap(), 2);
    assert_eq!(embed(&mut index, &maker("small")), 1);
    index.drop_unused_vectors().unwrap();
    let count = |sql: &str| index.connection.query_row(sql, [], |it| it.get::<_, u64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM vector"), 3);
    assert_eq!(index.embedded().unwrap().unwrap().chunks, 3);
    index.remove_source(source).unwrap();
    index.drop_unused_vectors().unwrap();
    let left: u64 =
        index.connection.query_row("SELECT count(*) FROM vector", [], |it| it.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn what_is_in_memory_follows_what_is_written() {
    let (mut index, source) = known();
    embed(&mut index, &maker("small"));
    let by = By::Meaning(meaning(&[1.0, 0.0, 0.0], 1.0));
    let query = Query { by, ..Query::new("", 1) };
    assert_eq!(found(&index, &query), ["oven"]);
    index.remove_documents(source, &["oven".to_owned()]).unwrap();
    assert_ne!(found(&index, &query), ["oven"]);
}

#[test]
fn another_model_is_refused_until_its_forerunners_vectors_are_forgotten() {
    let (mut index, source) = known();
    let by = By::Meaning(meaning(&[1.0, 0.0, 0.0], 1.0));
    let query = Query { by, ..Query::new("", 1) };
    assert!(matches!(index.search(&query), Err(IndexError::NoVectors)));
    embed(&mut index, &maker("large"));
    let error = index.search(&query).unwrap_err().to_string();
    let expected = "the vectors of the knowledge base were made by large, and small is asked";
    assert_eq!(error, expected);

    index.write(source, &[Document::of_text("more", "more", "More logo.")]).unwrap();
    let batch = index.unembedded(0, 2).unwrap();
    let refused = index.keep_vectors(&maker("small"), &[(&batch[0], vec![1.0, 0.0, 0.0])]);
    assert!(matches!(refused, Err(IndexError::OtherEmbedder { .. })), "{refused:?}");
    let refused = index.keep_vectors(&maker("large"), &[(&batch[0], vec![1.0])]);
    assert!(matches!(refused, Err(IndexError::OtherEmbedder { .. })), "{refused:?}");

    index.forget_vectors().unwrap();
    assert_eq!((index.embedded().unwrap(), embed(&mut index, &maker("small"))), (None, 4));
    assert_eq!(found(&index, &query), ["oven"]);
}

#[test]
fn a_vector_of_nothing_is_like_no_other() {
    let (mut index, _) = known();
    embed(&mut index, &maker("small"));
    for vector in [[0.0; 3], [f32::NAN; 3], [f32::INFINITY; 3]] {
        let query = Query { by: By::Meaning(meaning(&vector, 1.0)), ..Query::new("", 3) };
        let hits = index.search(&query).unwrap();
        assert!(hits.iter().all(|it| it.score == 0.0), "{hits:?}");
    }
}

proptest! {
    #[test]
    fn a_byte_for_a_number_changes_a_cosine_by_little(
        one in proptest::collection::vec(-1.0_f32..1.0, 37),
        other in proptest::collection::vec(-1.0_f32..1.0, 37),
    ) {
        let mut matrix = Matrix { dimensions: 37, ..Matrix::default() };
        matrix.push(1, &packed(&one));
        let exact: f32 =
            normalised(&one).iter().zip(normalised(&other)).map(|(it, other)| it * other).sum();
        let (_, score) = matrix.scores(&other)[0];
        prop_assert!((score - exact).abs() < 0.02, "{score} and not {exact}");
    }
}
