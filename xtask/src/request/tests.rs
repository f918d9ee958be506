use super::*;

#[track_caller]
fn check(line: &str, expected: &str) {
    let request = parse(line.split_whitespace().map(OsString::from));
    assert_eq!(format!("{request:?}"), expected);
}

#[test]
fn commands_are_read() {
    check("--help", "Ok(Help)");
    check("demo --help", "Ok(Help)");
    check("demo --prd my.md", r#"Ok(Demo { prd: "my.md" })"#);
    check("test", "Ok(Test { arguments: [] })");
    check("measure a", r#"Ok(Measure(Measure { programs: ["a"], tasks: 1000, tags: 1 }))"#);
    check(
        "measure a --tags 5 --tasks 10 b",
        r#"Ok(Measure(Measure { programs: ["a", "b"], tasks: 10, tags: 5 }))"#,
    );
    check("test -- store --no-capture", r#"Ok(Test { arguments: ["store", "--no-capture"] })"#);
}

#[test]
fn what_is_not_understood_is_named() {
    check("", r#"Err("which command?")"#);
    check("demo --prd", r#"Err("--prd wants a file")"#);
    check("test store", r#"Err("there is no argument \"store\"")"#);
    check("measure", r#"Err("measure which program?")"#);
    check("measure --tags 0 a", r#"Err("--tags wants a number, not \"0\"")"#);
    check("measure --tusks 1 a", r#"Err("there is no argument \"--tusks\"")"#);
    check("tset", r#"Err("there is no command \"tset\"")"#);
}

#[test]
fn the_document_of_the_demo_is_in_the_repository() {
    let Ok(Request::Demo { prd }) = parse(std::iter::once("demo".into())) else { panic!("demo") };
    assert!(prd.is_file(), "{}", prd.display());
}
