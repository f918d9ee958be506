use super::*;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn a_digest_is_its_hexadecimal_digits() {
    let digest: Digest = EMPTY.to_uppercase().parse().unwrap();
    assert_eq!(digest.to_string(), EMPTY);
    assert_eq!(Digest::finish(Sha256::new()), digest);
}

#[test]
fn other_text_is_no_digest() {
    for text in ["", "abc", &EMPTY[1..], &format!("+{}", &EMPTY[1..]), &"ü".repeat(32)] {
        assert!(text.parse::<Digest>().is_err(), "{text}");
    }
}

#[test]
fn copying_hashes_and_counts_what_is_copied() {
    let bytes = vec![7_u8; (1 << 20) + 1];
    let (mut copied, mut steps, mut hasher) = (Vec::new(), Vec::new(), Sha256::new());
    let mut tick = |step| {
        steps.push(step);
        Ok(())
    };
    copy(bytes.as_slice(), &mut copied, &mut hasher, &mut tick).unwrap();
    assert_eq!((copied.len(), steps), (bytes.len(), vec![1 << 20, 1]));
    assert_eq!(Digest::finish(hasher), Digest::finish(Sha256::new_with_prefix(&bytes)));
}

#[test]
fn copying_ends_when_it_is_told_to() {
    let stopped = &mut |_| Err(io::Error::other("enough"));
    let error = copy([1_u8].as_slice(), io::sink(), &mut Sha256::new(), stopped).unwrap_err();
    assert_eq!(error.to_string(), "enough");
}
