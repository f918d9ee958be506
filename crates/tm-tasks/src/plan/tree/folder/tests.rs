use super::*;
use crate::plan::tree::{
    Reason,
    tests::{PRD, tree_of},
};

#[test]
fn a_tree_that_is_written_is_read_again_with_what_it_covers() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/out");
    let tree = tree_of(PRD, &[Reason::SeveralFeatures, Reason::OneFeature]);
    write(&out, &tree).unwrap();
    assert_eq!(read(&out).unwrap(), tree);
    let said = read_coverage(&out).unwrap();
    assert_eq!((said.requirements, said.covered, said.missing.len()), (5, 5, 0));
    assert_eq!(said.items[2], Owned { requirement: "R3".into(), node: Some("1.2".into()) });
    assert!(fs::read_to_string(out.join(MARKDOWN_FILE)).unwrap().starts_with("# Notes\n"));
}

#[test]
fn a_requirement_that_no_leaf_has_is_missing() {
    let mut tree = tree_of(PRD, &[Reason::SeveralFeatures, Reason::OneFeature]);
    tree.nodes[1].requirements.remove(0);
    let said = coverage(&tree);
    assert_eq!((said.covered, said.missing), (4, vec!["R1".to_owned()]));
    assert!((said.coverage - 0.8).abs() < 1e-9);
}

#[test]
fn a_folder_without_a_tree_says_so() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read(folder.path()), Err(FolderError::Missing { .. })));
    assert_eq!(read_coverage(folder.path()), None);
    fs::write(folder.path().join(TREE_FILE), "{}").unwrap();
    assert!(matches!(read(folder.path()), Err(FolderError::Format { .. })));
    fs::remove_file(folder.path().join(TREE_FILE)).unwrap();
    fs::create_dir(folder.path().join(TREE_FILE)).unwrap();
    assert!(matches!(read(folder.path()), Err(FolderError::Unreadable { .. })));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let tree = tree_of(PRD, &[Reason::OneFeature]);
    assert!(matches!(write(&file, &tree), Err(FolderError::Store(_))));
}
