use crate::index::{
    Index,
    search::{By, Meaning, Query},
    vectors::Embedder,
    write::{Document, NewSource},
};

fn embedder(name: &str) -> Embedder {
    Embedder { model: name.to_owned(), identity: format!("{name} 1") }
}

fn embed(index: &mut Index, by: &Embedder) {
    let batch = index.unembedded(0, 100).unwrap();
    let kept: Vec<_> = batch.iter().map(|it| (it, vec![3.0, 4.0])).collect();
    index.keep_vectors(by, &kept).unwrap();
}

#[test]
fn a_knowledge_base_keeps_its_name_and_vectors_that_are_made_anew_have_another() {
    let folder = tempfile::tempdir().unwrap();
    let (file, other) = (folder.path().join("one"), folder.path().join("other"));
    let mut names = Vec::new();
    for (file, is_new) in [(&file, true), (&file, false), (&file, true), (&other, true)] {
        let mut index = Index::create(file).unwrap();
        let new =
            NewSource { location: "/docs".into(), name: "docs".into(), ..NewSource::default() };
        let source = index.add_source(&new, 0).unwrap();
        index.write(source.id, &[Document::of_text("a", "a", "Some words.")]).unwrap();
        if is_new {
            index.forget_vectors().unwrap();
            assert_eq!(index.collection().unwrap(), None);
        }
        embed(&mut index, &embedder("small"));
        let collection = index.collection().unwrap().unwrap();
        assert_eq!((collection.dimensions, collection.points.len()), (2, 1));
        names.push(collection.name);
    }
    let [first, again, anew, elsewhere] = &names[..] else { panic!("{names:?}") };
    assert_eq!(first, again);
    assert!(first != anew && first != elsewhere, "{names:?}");
}

#[test]
fn what_another_program_finds_counts_as_far_as_it_is_known() {
    let mut index = Index::in_memory().unwrap();
    let new = NewSource { location: "/docs".into(), name: "docs".into(), ..NewSource::default() };
    let source = index.add_source(&new, 0).unwrap();
    let documents = ["one", "two"].map(|it| Document::of_text(it, it, &format!("About {it}.")));
    index.write(source.id, &documents).unwrap();
    embed(&mut index, &embedder("small"));
    let points = index.collection().unwrap().unwrap().points;
    let chunks: Vec<i64> = points.iter().map(|it| it.chunk).collect();
    assert!((index.vector(chunks[0]).unwrap().unwrap()[0] - 0.6).abs() < 0.01);

    let nearest = Some(vec![(999, 0.9), (chunks[1], 0.8)]);
    let meaning =
        Meaning { vector: vec![3.0, 4.0], embedder: embedder("small"), weight: 1.0, nearest };
    let query = Query { by: By::Meaning(meaning), ..Query::new("", 5) };
    let hits = index.search(&query).unwrap();
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert_eq!((hits[0].path.as_str(), hits[0].cosine), ("two", Some(0.8)));
}
