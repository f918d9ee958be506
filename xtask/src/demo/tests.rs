use super::*;

#[test]
fn each_demo_has_a_directory_of_its_own() {
    let directory = fresh_directory().unwrap();
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    fs::remove_dir(directory).unwrap();
}

#[test]
fn what_to_type_next_can_be_pasted() {
    let text = what_next(Path::new("/tmp/demo"), Path::new("/target/release/task-master"));
    assert!(text.contains("\n    cd /tmp/demo\n"), "{text}");
    assert!(text.contains("\n    /target/release/task-master show 1\n"), "{text}");
}

#[test]
fn a_document_that_is_not_there_stops_the_demo_before_the_build() {
    let error = run(Path::new("/nowhere/prd.md")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /nowhere/prd.md");
}
