use super::*;

#[test]
fn wheels_are_known_by_their_names() {
    let is = |filename| is_wheel(filename, "Tiny.Model-part1", "0.2.0");
    assert!(is("tiny_model_part1-0.2.0-py3-none-any.whl"));
    assert!(is("Tiny.Model_Part1-0.2.0-1-py3-none-any.whl"));
    assert!(!is("tiny_model_part1-0.2.0.tar.gz"));
    assert!(!is("tiny_model_part1-0.2.0.1-py3-none-any.whl"));
    assert!(!is("tiny_model_part10-0.2.0-py3-none-any.whl"));
    assert!(!is("tiny_model_part1-0.2.0-/../../x.whl"));
}

#[track_caller]
fn check(page: &str, url: &str, expected: &str) {
    let file = file_url(&Url::parse(page).unwrap(), url).unwrap();
    assert_eq!(file.as_str(), expected);
}

#[test]
fn file_addresses_are_completed() {
    check("https://h/simple/p/", "../../f/p.whl#sha256=0", "https://h/f/p.whl");
    check("https://h/simple/p/", "https://files.h/p.whl", "https://files.h/p.whl");
    check("https://me:pw@h/simple/p/", "https://h/p.whl", "https://me:pw@h/p.whl");
    check("https://me:pw@h/simple/p/", "https://files.h/p.whl", "https://files.h/p.whl");
}
