use proptest::prelude::*;

use super::*;

fn pass(mut seam: Seam, pieces: &[&str]) -> Result<String, Diverged> {
    let mut text = String::new();
    for piece in pieces {
        text += &seam.pass((*piece).to_owned())?;
    }
    Ok(text + &seam.finish()?)
}

const SHOWN: &str = "It was a dark and stormy night.";

#[test]
fn what_is_said_again_is_not_shown_again() {
    let again = [&SHOWN[..10], &SHOWN[10..], " The", " end."];
    assert_eq!(pass(Seam::overlap(SHOWN), &again).unwrap(), " The end.");
    assert_eq!(pass(Seam::overlap(SHOWN), &[" The", " end."]).unwrap(), " The end.");
    assert_eq!(pass(Seam::overlap(SHOWN), &["It was", " not."]).unwrap(), "It was not.");
    assert_eq!(pass(Seam::overlap("ha"), &["ha", "ha"]).unwrap(), "haha");
    assert_eq!(pass(Seam::overlap(SHOWN), &["It"]).unwrap(), "It");
}

#[test]
fn another_answer_is_not_joined_to_the_first() {
    assert_eq!(pass(Seam::replay(SHOWN), &["It was a bright"]), Err(Diverged));
    assert_eq!(pass(Seam::replay(SHOWN), &["It was a dark"]), Err(Diverged), "it is shorter");
}

proptest! {
    #[test]
    fn an_answer_that_begins_anew_is_joined_wherever_it_was_cut(
        text in "\\PC{0,40}", cut in any::<prop::sample::Index>(), piece in 1_usize..9,
    ) {
        let characters: Vec<char> = text.chars().collect();
        let shown: String = characters[..cut.index(characters.len() + 1)].iter().collect();
        let pieces: Vec<String> = characters.chunks(piece).map(|it| it.iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let rest = pass(Seam::replay(&shown), &pieces).unwrap();
        prop_assert_eq!(shown + &rest, text);
    }
}
