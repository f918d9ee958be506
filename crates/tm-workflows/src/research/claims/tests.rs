use super::*;

const NOTES: [&str; 2] = [
    "Sessions: They are kept in Redis for 24 hours.",
    "The oven does not open before the timer ends.",
];

#[track_caller]
fn check_one(text: &str, notes: &[usize], expected: (&[usize], Verdict)) {
    let sentence = Sentence { text: text.into(), notes: notes.to_vec() };
    let (cited, support, verdict) = check(&sentence, &NOTES.map(str::to_owned));
    assert_eq!((cited.as_slice(), verdict), expected, "{text}: {support}");
}

#[test]
fn what_the_notes_say_is_supported() {
    check_one("Sessions are kept in Redis.", &[1], (&[1], Verdict::Supported));
    check_one("A session is kept for 24 hours in Redis.", &[1, 1], (&[1], Verdict::Supported));
    check_one("Sessions are kept in Redis.", &[1, 2], (&[1], Verdict::Supported));
}

#[test]
fn a_citation_of_the_wrong_note_is_moved_to_the_right_one() {
    check_one("Sessions are kept in Redis.", &[2], (&[1], Verdict::Moved));
    check_one("Sessions are kept in Redis.", &[], (&[1], Verdict::Moved));
    check_one("Sessions are kept in Redis.", &[0, 7], (&[1], Verdict::Moved));
}

#[test]
fn what_no_note_says_is_not_supported() {
    let nothing: (&[usize], Verdict) = (&[], Verdict::Unsupported);
    check_one("Postgres stores all user accounts.", &[1], nothing);
    check_one("Sessions are kept in Redis for 48 hours.", &[1], nothing);
    check_one("Sessions are not kept in Redis.", &[1], nothing);
    check_one("Sessions are kept in Redis, see https://example.org.", &[1], nothing);
    check_one("…", &[1], nothing);
}
