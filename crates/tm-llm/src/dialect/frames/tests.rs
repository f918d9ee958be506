use super::*;

/// Joined by `|`, the same however the bytes arrive.
fn frames(framing: Framing, bytes: &str) -> String {
    let read = |size: usize| {
        let mut frames = Frames::new(framing);
        let mut read = Vec::new();
        for piece in bytes.as_bytes().chunks(size) {
            frames.push(piece, |it| read.push(it.to_owned())).unwrap();
        }
        read.extend(frames.finish());
        read.join("|")
    };
    let whole = read(bytes.len().max(1));
    for size in 1..4 {
        assert_eq!(read(size), whole, "in pieces of {size}");
    }
    whole
}

#[test]
fn events_are_their_data() {
    for (bytes, expected) in [
        ("data: a\n\ndata: b\n\n", "a|b"),
        ("data:a\r\n\r\ndata: b\r\n\r\n", "a|b"),
        (": ping\n\nevent: x\nid: 1\ndata: a\n\n", "a"),
        ("data: {\ndata: }\n\n", "{\n}"),
        ("data: ü€\n\ndata: [DONE]", "ü€|[DONE]"),
        ("\n\n\n", ""),
    ] {
        assert_eq!(frames(Framing::Events, bytes), expected, "{bytes:?}");
    }
}

#[test]
fn lines_are_messages_and_empty_ones_are_none() {
    assert_eq!(frames(Framing::Lines, "{a}\n\n{b}\r\n{c}"), "{a}|{b}|{c}");
}

#[test]
fn a_message_without_an_end_is_given_up() {
    for framing in [Framing::Events, Framing::Lines] {
        let mut frames = Frames::new(framing);
        let piece = vec![b'x'; FRAME_BYTES / 2];
        let mut push = |bytes: &[u8]| frames.push(bytes, |it| panic!("{it}"));
        assert_eq!((push(&piece), push(&piece)), (Ok(()), Ok(())));
        assert_eq!(push(b"x"), Err(FrameTooLong));
    }
    let mut many = Frames::new(Framing::Events);
    let line = [b"data: ".as_slice(), &vec![b'x'; FRAME_BYTES / 3], b"\n"].concat();
    assert!((0..4).any(|_| many.push(&line, |_| ()).is_err()));
}
