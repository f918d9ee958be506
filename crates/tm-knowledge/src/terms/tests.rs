use super::*;

#[test]
fn questions_are_looked_for_by_their_words() {
    #[track_caller]
    fn check(question: &str, expected: &str) {
        assert_eq!(of_question(question).join(" "), expected);
    }
    check("How is the Oven heated?", "how oven heated");
    check("\"oven\" OR (NEAR*", "oven near");
    check("to be or not to be", "to be or not to be");
    check("¿…?", "");
    check(&"oven ".repeat(200), "oven ".repeat(64).trim());
    check("API接口的超时？", "api 接口 口的 的超 超时");
    check("キャッシュ・サーバー", "キャ ャッ ッシ シュ サー ーバ バー");
    check("캐시는 언제 비워지나요", "캐시 시는 언제 비워 워지 지나 나요");
    check("猫", "猫");
}

#[test]
fn names_are_taken_apart() {
    assert_eq!(parts_of_names("let x = readFile(HTTPServer, snake_case);"), " read File");
    assert_eq!(parts_of_names("größeÄndern"), " größe Ändern");
}
