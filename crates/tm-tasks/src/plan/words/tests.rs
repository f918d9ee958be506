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
