use super::*;

#[test]
fn titles_that_say_the_same_are_alike_and_others_are_not() {
    for (one, other, expected) in [
        ("Add full-text search", "Implement full text searching", true),
        ("Export notes as Markdown", "Export the notes as Markdown files", true),
        ("Set up the database", "Build the database", true),
        ("Scan ISBN barcodes", "Print shelf QR codes", false),
        ("Create video listing page", "Create video upload form", false),
        ("검색 화면 만들기", "검색 화면 만들기", true),
        ("검색 화면 만들기", "대출 기록 저장하기", false),
    ] {
        assert_eq!(alike(one, other), expected, "{one} / {other}");
    }
}

#[test]
fn what_has_no_spaces_is_compared_by_every_two_characters() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
    };
    check("用户登录", &["用户", "户登", "登录"]);
    check("검색을 추가", &["검색", "색을", "추가"]);
    check("API接口, 的", &["api", "接口", "的"]);
    check("The searches", &["search"]);
    check("", &[]);
}
