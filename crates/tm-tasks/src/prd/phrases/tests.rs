use super::*;

#[test]
fn every_list_is_read_in_every_language() {
    let languages = ["en", "de", "es", "fr", "it", "nl", "pt", "ru", "zh", "ja", "ko"];
    let lines = |it: &&str| !it.starts_with(['#', '[']) && !it.is_empty();
    let text = include_str!("../phrases.txt");
    assert_eq!(text.lines().filter(lines).count(), languages.len() * NAMES.len());
    assert_eq!(PHRASES.len(), NAMES.len());
    for phrase in PHRASES.values().flatten() {
        assert_eq!(*phrase, phrase.trim().to_lowercase(), "{phrase}");
        assert!(phrase.trim_matches('=').chars().count() >= 2, "{phrase}");
    }
}

#[test]
fn headings_tell_what_is_below_them() {
    let check = |tells: Tells, heading: &str, expected: Option<&str>| {
        assert_eq!(tells.in_heading(heading), expected, "{heading}");
    };
    check(Tells::Excluded, "7. Out of Scope", Some("out of scope"));
    check(Tells::Excluded, "4. Fuera de alcance", Some("fuera de alcance"));
    check(Tells::Excluded, "六、范围外", Some("=范围外"));
    check(Tells::Excluded, "范围内 / 范围外", None);
    check(Tells::Context, "1. Ziele", Some("=ziele"));
    check(Tells::Context, "Ziele verwalten", None);
    check(Tells::Context, "二、背景", Some("=背景"));
    check(Tells::Context, "背景音乐", None);
    check(Tells::Context, "## 목표", Some("=목표"));
    check(Tells::Required, "Требования к производительности", Some("требован"));
    check(Tells::Steps, "開発ロードマップ", Some("ロードマップ"));
    check(Tells::First, "기술 스택", Some("기술 스택"));
    check(Tells::Last, "Déploiement", Some("déploiement"));
}

#[test]
fn demands_are_whole_words_where_words_are_parted() {
    let check = |sentence: &str, expected: bool| {
        assert_eq!(Tells::Demand.is_in_sentence(sentence), expected, "{sentence}");
    };
    check("It must work offline", true);
    check("The mustard is yellow", false);
    check("Das System muss offline laufen", true);
    check("系统必须离线运行。", true);
    check("오프라인에서도 동작해야 합니다", true);
    check("オフラインで動作する", false);
}
