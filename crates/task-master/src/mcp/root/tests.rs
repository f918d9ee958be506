use super::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(directory(text), Path::new(expected), "{text}");
}

#[test]
fn a_root_may_be_a_path_or_a_uri() {
    check("/home/a/b", "/home/a/b");
    check("file:///home/a/b", "/home/a/b");
    check("file://localhost/home/a", "/home/a");
    check("file:///home/a%20b/%C3%BC", "/home/a b/ü");
    check("/home/a%20b", "/home/a b");
    check("/c:/work", "c:/work");
    check("file:///C%3A/work", "C:/work");
    check("/home/100%", "/home/100%");
    check("/home/%zz", "/home/%zz");
    check("file:///%ff", "/%ff");
}
