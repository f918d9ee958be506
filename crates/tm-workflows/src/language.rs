//! The language that texts are to be written in: how a model is told, and whether it did.
//!
//! A small model writes in the language that it read last: told in English to write Spanish, it makes
//! an English plan of an English document. So each question ends with a sentence in the language that
//! is wanted. Start at [`called`].

use whatlang::{Info, Lang, Script, detect};

/// A language that models are told about in its own words.
#[derive(Debug)]
pub(crate) struct Language {
    code: &'static str,
    /// In English.
    pub(crate) name: &'static str,
    /// What its own name begins with, in lower case.
    own_name: &'static str,
    lang: Lang,
    /// Asks for all texts in it.
    reminder: &'static str,
    /// Stands before what a test is to show.
    pub(crate) expected: &'static str,
}

/// The language that a user calls so: `Spanish`, `español`, `es-MX`.
pub(crate) fn called(name: &str) -> Option<&'static Language> {
    let name = name.trim().to_lowercase();
    let code = name.split(['-', '_']).next().unwrap_or_default();
    KNOWN.iter().find(|it| {
        [name.as_str(), code].contains(&it.code)
            || name.contains(&it.name.to_lowercase())
            || name.contains(it.own_name)
    })
}

/// A question with what it ends with, so that it is answered in this language.
pub(crate) fn asked_in(language: &str, question: &str) -> String {
    match called(language) {
        Some(it) if it.lang == Lang::Eng => question.to_owned(),
        Some(it) => format!("{question}\n\n{}", it.reminder),
        None => format!("{question}\n\nWrite all texts in {language}."),
    }
}

/// Whether a text is surely in another language than this one. Names and code are in every text,
/// and short ones tell nothing.
pub(crate) fn is_in_another(text: &str, language: &str) -> bool {
    let Some(wanted) = called(language).map(|it| it.lang) else { return false };
    if is_latin(wanted) {
        return detect(text).is_some_and(|it: Info| it.is_reliable() && it.lang() != wanted);
    }
    let letters = || text.chars().filter(|it| it.is_alphabetic());
    letters().filter(|it| *it < LATIN_END).count() * 5 > letters().count() * 4
}

/// How many characters a text has at least where an English one has `characters`.
pub(crate) fn shortest(characters: usize, language: &str) -> usize {
    match called(language).map(|it| it.lang) {
        Some(Lang::Cmn | Lang::Jpn) => characters / 3,
        Some(Lang::Kor) => characters / 2,
        _ => characters,
    }
}

/// The first letter after those of Latin scripts.
const LATIN_END: char = '\u{250}';

fn is_latin(language: Lang) -> bool {
    Script::Latin.langs().contains(&language)
}

#[rustfmt::skip]
const KNOWN: &[Language] = &[
    language(Lang::Eng, ["en", "English", "english"], "Write all texts in English.", "Expected:"),
    language(Lang::Ara, ["ar", "Arabic", "عربي"], "اكتب جميع النصوص باللغة العربية.", "المتوقع:"),
    language(Lang::Ces, ["cs", "Czech", "češ"], "Piš všechny texty česky.", "Očekává se:"),
    language(Lang::Dan, ["da", "Danish", "dansk"], "Skriv alle tekster på dansk.", "Forventet:"),
    language(Lang::Deu, ["de", "German", "deutsch"], "Schreibe alle Texte auf Deutsch.", "Erwartet:"),
    language(Lang::Ell, ["el", "Greek", "ελληνικ"], "Γράψε όλα τα κείμενα στα ελληνικά.", "Αναμένεται:"),
    language(Lang::Spa, ["es", "Spanish", "español"], "Escribe todos los textos en español.", "Resultado esperado:"),
    language(Lang::Fra, ["fr", "French", "français"], "Écris tous les textes en français.", "Résultat attendu :"),
    language(Lang::Heb, ["he", "Hebrew", "עברית"], "כתוב את כל הטקסטים בעברית.", "צפוי:"),
    language(Lang::Hin, ["hi", "Hindi", "हिन्दी"], "सभी पाठ हिन्दी में लिखो।", "अपेक्षित:"),
    language(Lang::Ind, ["id", "Indonesian", "bahasa indonesia"], "Tulis semua teks dalam bahasa Indonesia.", "Hasil yang diharapkan:"),
    language(Lang::Ita, ["it", "Italian", "italiano"], "Scrivi tutti i testi in italiano.", "Risultato atteso:"),
    language(Lang::Jpn, ["ja", "Japanese", "日本語"], "すべての文章を日本語で書いてください。", "期待される結果："),
    language(Lang::Kor, ["ko", "Korean", "한국어"], "모든 텍스트를 한국어로 쓰세요.", "예상 결과:"),
    language(Lang::Nld, ["nl", "Dutch", "nederlands"], "Schrijf alle teksten in het Nederlands.", "Verwacht:"),
    language(Lang::Pol, ["pl", "Polish", "polski"], "Pisz wszystkie teksty po polsku.", "Oczekiwany wynik:"),
    language(Lang::Por, ["pt", "Portuguese", "português"], "Escreva todos os textos em português.", "Resultado esperado:"),
    language(Lang::Rus, ["ru", "Russian", "русск"], "Пиши все тексты на русском языке.", "Ожидается:"),
    language(Lang::Swe, ["sv", "Swedish", "svenska"], "Skriv alla texter på svenska.", "Förväntat:"),
    language(Lang::Tur, ["tr", "Turkish", "türkçe"], "Bütün metinleri Türkçe yaz.", "Beklenen:"),
    language(Lang::Ukr, ["uk", "Ukrainian", "українськ"], "Пиши всі тексти українською мовою.", "Очікується:"),
    language(Lang::Vie, ["vi", "Vietnamese", "tiếng việt"], "Viết tất cả văn bản bằng tiếng Việt.", "Kết quả mong đợi:"),
    language(Lang::Cmn, ["zh-tw", "Traditional Chinese", "繁體中文"], "所有文字都用繁體中文書寫。", "預期："),
    language(Lang::Cmn, ["zh", "Chinese", "中文"], "所有文字都用中文书写。", "预期："),
];

const fn language(
    lang: Lang,
    [code, name, own_name]: [&'static str; 3],
    reminder: &'static str,
    expected: &'static str,
) -> Language {
    Language { code, name, own_name, lang, reminder, expected }
}

#[cfg(test)]
mod tests;
