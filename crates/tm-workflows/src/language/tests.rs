use super::*;

#[test]
fn languages_are_known_by_what_users_call_them() {
    let check = |said: &str, expected: Option<&str>| {
        assert_eq!(called(said).map(|it| it.name), expected, "{said}");
    };
    check("English", Some("English"));
    check(" spanish", Some("Spanish"));
    check("Brazilian Portuguese", Some("Portuguese"));
    check("pt-BR", Some("Portuguese"));
    check("Español", Some("Spanish"));
    check("中文", Some("Chinese"));
    check("繁體中文", Some("Traditional Chinese"));
    check("zh-TW", Some("Traditional Chinese"));
    check("zh_CN", Some("Chinese"));
    check("한국어", Some("Korean"));
    check("Klingon", None);
    check("", None);
}

#[test]
fn questions_end_in_the_language_of_the_answer() {
    assert_eq!(asked_in("English", "Why?"), "Why?");
    assert_eq!(asked_in("de", "Why?"), "Why?\n\nSchreibe alle Texte auf Deutsch.");
    assert_eq!(asked_in("Klingon", "Why?"), "Why?\n\nWrite all texts in Klingon.");
}

#[test]
fn texts_in_another_language_are_told() {
    let english = "Family members sign in with a link that works once and expires after 48 hours.";
    let spanish =
        "Los libros que no pueden importarse se listan con su número de línea y el motivo.";
    let korean = "YouTube Data API v3를 활용해 재생목록의 영상 목록을 가져와 표시합니다.";
    let check = |text: &str, language: &str, expected: bool| {
        assert_eq!(is_in_another(text, language), expected, "{language}: {text}");
    };
    for text in [english, spanish, korean] {
        check(text, "English", text != english);
        check(text, "Spanish", text != spanish);
        check(text, "Korean", text != korean);
        check(text, "Klingon", false);
    }
    check("npm run build", "Spanish", false);
}

#[test]
fn every_language_is_asked_for_in_its_own_words() {
    for it in KNOWN.iter().filter(|it| it.lang != Lang::Cmn) {
        assert_eq!(called(it.name).map(|it| it.code), Some(it.code));
        assert_eq!(called(it.code).map(|it| it.name), Some(it.name));
        assert!(!is_in_another(it.reminder, it.name), "{}", it.name);
    }
}
