use super::*;

fn two() -> Embeddings {
    Embeddings { vectors: vec![vec![1.0, -2.5], vec![0.0, 0.25]], prompt_tokens: 7 }
}

#[test]
fn numbers_and_base64_are_the_same_vectors() {
    let call = read_openai(br#"{"model":"m","input":["a","b"]}"#).unwrap();
    let numbers = call.answer(&two());
    assert_eq!(numbers["data"][1], json!({"object":"embedding","index":1,"embedding":[0.0,0.25]}));
    assert_eq!(numbers["usage"], json!({"prompt_tokens": 7, "total_tokens": 7}));
    let call = read_openai(br#"{"model":"m","input":"a","encoding_format":"base64"}"#).unwrap();
    let text = call.answer(&two())["data"][0]["embedding"].as_str().unwrap().to_owned();
    // Little-endian, four bytes a number.
    assert_eq!(STANDARD.decode(text).unwrap(), [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]);
}

#[test]
fn ollama_has_two_ways_of_asking() {
    let call = read_ollama(br#"{"model":"m","input":["a","b"],"truncate":true}"#).unwrap();
    assert_eq!(
        (call.texts.len(), call.answer(&two())["embeddings"].clone()),
        (2, json!(two().vectors))
    );
    let call = read_ollama_one(br#"{"model":"m","prompt":"a"}"#).unwrap();
    assert_eq!(call.answer(&two()), json!({"embedding": [1.0, -2.5]}));
}

#[test]
fn what_is_no_text_is_refused() {
    for input in ["[1,2]", "[]", r#""""#, r#"["a",""]"#] {
        let body = format!(r#"{{"model":"m","input":{input}}}"#);
        assert_eq!(read_openai(body.as_bytes()).unwrap_err().status(), 400, "{input}");
    }
    let body = br#"{"model":"m","input":"a","encoding_format":"hex"}"#;
    assert!(read_openai(body).unwrap_err().to_string().contains("hex"));
}
