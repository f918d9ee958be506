use super::*;

#[test]
fn words_are_counted_in_every_script() {
    let check = |text: &str, expected: usize| assert_eq!(count_words(text), expected, "{text}");
    check("", 0);
    check("Add full-text search - now", 5);
    check("馆员可以登记图书", 4);
    check("用 FastAPI 和SQLite，", 4);
    check("テストを書く", 3);
    check("검색을 추가", 3);
}

#[test]
fn sentences_end_where_their_script_ends_them() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(sentences(text).collect::<Vec<_>>(), expected, "{text}");
    };
    check("One. Version 2.5 is two.", &["One. ", "Version 2.5 is two."]);
    check("登录。退出！", &["登录。", "退出！"]);
}
