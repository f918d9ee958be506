use super::*;

fn edit(first: usize, last: usize, new: &[&str]) -> Edit {
    let new = new.iter().map(|it| (*it).to_owned()).collect();
    Edit { path: "code.py".to_owned(), first, last, new }
}

#[test]
fn lines_take_the_place_of_others_and_everything_else_stays_byte_by_byte() {
    #[track_caller]
    fn check(text: &str, edit: &Edit, expected: &str) {
        assert_eq!(edit.applied(text).unwrap(), expected);
    }
    check("a\nb\nc\n", &edit(2, 2, &["x", "y"]), "a\nx\ny\nc\n");
    check("a\nb\nc", &edit(3, 3, &["x"]), "a\nb\nx");
    check("a\r\nb\r\nc\r\n", &edit(1, 2, &["x"]), "x\r\nc\r\n");
    check("a\nb\n", &edit(2, 2, &[]), "a\n");
    check("a\nb\n", &edit(2, 1, &["x"]), "a\nx\nb\n");
    check("a\n", &edit(2, 1, &["x"]), "a\nx\n");
    check("a", &edit(2, 1, &["x"]), "a\nx");
    check("", &edit(1, 0, &["x"]), "x\n");
}

#[test]
fn what_changes_nothing_or_names_lines_that_there_are_not_is_refused() {
    let nothing = edit(1, 1, &["a  "]).applied("a\nb\n");
    assert!(matches!(nothing, Err(StepError::Nothing)), "{nothing:?}");
    for (first, last) in [(2, 3), (5, 5), (4, 3), (2, 0)] {
        let missing = edit(first, last, &["x"]).applied("a\nb\n");
        assert!(matches!(missing, Err(StepError::NoLines { .. })), "{missing:?}");
    }
}

#[test]
fn a_way_around_the_check_is_refused_where_it_is_new() {
    for word in EVASIONS {
        let evading = edit(1, 1, &[&format!("    {word} ")]).applied("a\nb\n");
        assert!(matches!(evading, Err(StepError::Evades { .. })), "{word}: {evading:?}");
    }
    let was_there = edit(2, 2, &["sys.exit(1)  # no file"]).applied("a\nsys.exit(1)\n");
    assert!(was_there.is_ok(), "{was_there:?}");
}

#[cfg(unix)]
#[test]
fn a_link_that_took_the_place_of_a_file_is_not_followed() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = outside.path().join("code.py");
    fs::write(&target, "a\n").unwrap();
    std::os::unix::fs::symlink(&target, folder.path().join("code.py")).unwrap();
    let error = edit(1, 1, &["x"]).write(folder.path()).unwrap_err();
    assert!(matches!(error, StepError::Outside { .. }), "{error}");
    assert_eq!(fs::read_to_string(target).unwrap(), "a\n");
    let error = Edit { path: "none.py".to_owned(), ..edit(1, 1, &["x"]) }.write(folder.path());
    assert!(matches!(error, Err(StepError::File { .. })), "{error:?}");
}
