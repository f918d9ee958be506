use super::*;

fn scores(scores: &[f32]) -> Relevances {
    Relevances { scores: scores.to_vec(), prompt_tokens: 9 }
}

#[test]
fn the_best_come_first_and_no_more_than_are_wanted() {
    let asked = br#"{"model":"m","query":"q","documents":["a",{"text":"b"},"c"],"top_n":2}"#;
    let call = read(asked).unwrap();
    assert_eq!(call.texts, ["a", "b", "c"]);
    assert_eq!(
        call.answer("r1", &scores(&[-3.5, 0.25, -0.5])),
        json!({
            "id": "r1", "object": "list", "model": "m",
            "results": [
                {"index": 1, "relevance_score": 0.25}, {"index": 2, "relevance_score": -0.5}
            ],
            "usage": {"prompt_tokens": 9, "total_tokens": 9}
        })
    );
}

#[test]
fn texts_come_back_where_that_is_wanted() {
    let asked = br#"{"query":"q","documents":["a"],"return_documents":true,"truncate":"END"}"#;
    let answer = read(asked).unwrap().answer("r1", &scores(&[1.0]));
    assert_eq!(answer["results"][0]["document"], json!({"text": "a"}));
}

#[test]
fn what_asks_for_nothing_is_refused() {
    for (asked, expected) in [
        (r#"{"query":"q","documents":[]}"#, "no text"),
        (r#"{"query":"","documents":["a"]}"#, "no question"),
        (r#"{"query":"q","documents":["a"],"top_n":0}"#, "`top_n` is 0"),
        (r#"{"documents":["a"]}"#, "missing field `query`"),
    ] {
        let error = read(asked.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{asked}: {error}");
        assert_eq!(error.status(), 400);
    }
}
