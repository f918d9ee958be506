//! The bounds of `tm_llm::tokens`, held against a vocabulary.

use tm_llm::{backend::Backend as _, tokens};

use crate::{ask, engine, request};

#[test]
fn a_text_has_no_fewer_and_no_more_tokens_than_the_bounds_say() {
    let Some(engine) = engine(1) else { return };
    let code = include_str!("../../src/schedule.rs");
    let manifest = include_str!("../../Cargo.toml");
    let prose = include_str!("../../../../ARCHITECTURE.md");
    let tables = include_str!("../../../../docs/benchmarks.md");
    for text in [
        code,
        manifest,
        prose,
        tables,
        "3.14159265358979 2026-11-26T16:59:35.412Z 0x7fffdeadbeef",
        "Größenänderungen dürfen übrigens höchstens vierzehntägig veröffentlicht werden.",
        "Съешь же ещё этих мягких французских булок, да выпей чаю.",
        "日本語のテキストは、単語の間に空白がありません。 漢字とかな。",
        "{\"a\":[1,2,3],\"b\":{\"c\":null,\"d\":\"\\u00e9\"}}\n\n\t\t\t        }",
        "dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZw==",
        "🦀🎉 emoji, and ------------------------ lines ====================",
    ] {
        let (least, counted, most) =
            (tokens::at_least(text), engine.count_tokens(text), tokens::at_most(text));
        let start: String = text.chars().take(40).collect();
        assert!(least <= counted && counted <= most, "{least} {counted} {most}: {start:?}");
    }
}

#[tokio::test]
async fn a_prompt_is_counted_with_all_that_its_template_adds() {
    let Some(engine) = engine(1) else { return };
    // Without a system message the template has one of its own.
    let one = request("Name a colour.", None, 2);
    let messages = one.messages.clone();
    for messages in [messages.clone(), messages.into_iter().skip(1).collect()] {
        let counted = engine.prompt_tokens(&messages);
        let request = tm_llm::chat::ChatRequest { messages, ..one.clone() };
        assert_eq!(ask(&engine, request).await.unwrap().usage.prompt_tokens, counted);
    }
}
