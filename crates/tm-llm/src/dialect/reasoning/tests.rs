use super::*;

/// The answer, the same however the text arrives.
fn answer(text: &str) -> String {
    let read = |size: usize| {
        let mut thoughts = Thoughts::default();
        let characters: Vec<char> = text.chars().collect();
        let mut answer = String::new();
        for piece in characters.chunks(size) {
            answer += &thoughts.strip(piece.iter().collect::<String>());
        }
        answer + &thoughts.finish()
    };
    let whole = read(text.len().max(1));
    for size in 1..4 {
        assert_eq!(read(size).trim(), whole.trim(), "in pieces of {size}");
    }
    whole
}

#[test]
fn thoughts_are_told_apart_and_not_lost() {
    let mut thoughts = Thoughts::default();
    let (mut answer, mut thought) = (String::new(), String::new());
    for piece in ["<th", "ink>hm", ", ü</thi", "nk>", "\n\nyes"] {
        answer += &thoughts.strip(piece);
        thought += &thoughts.thought();
    }
    assert_eq!((answer.trim(), thought.as_str()), ("yes", "hm, ü"));
}

#[test]
fn thoughts_in_front_are_no_part_of_the_answer() {
    for (text, expected) in [
        ("<think>hm, ü</think>\n\n{\"a\": 1}", "{\"a\": 1}"),
        ("  <think></think>yes", "yes"),
        ("yes <think>no</think>", "yes <think>no</think>"),
        ("<thing>", "<thing>"),
        ("<thi", "<thi"),
        ("<think>for ever", ""),
        ("", ""),
    ] {
        assert_eq!(answer(text), expected, "{text:?}");
    }
}
