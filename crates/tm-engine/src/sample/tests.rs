//! Tests of `sample`.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Token 2 is the likeliest, then 1; 3 is hopeless.
const SCORES: [f32; 4] = [0.0, 1.0, 2.0, -30.0];

fn drawn(sampling: &Sampling, count: usize) -> Vec<i32> {
    let mut sampler = Sampler::new(sampling.clone());
    (0..count).map(|_| sampler.choose(&SCORES, None).unwrap().0).collect()
}

fn warm() -> Sampling {
    Sampling { temperature: 1.0, top_p: 1.0, top_k: 0, ..Sampling::default() }
}

fn only(allowed: &[u32]) -> SimpleVob {
    let mut mask = SimpleVob::alloc(SCORES.len());
    for token in allowed {
        mask.allow_token(*token);
    }
    mask
}

#[test]
fn without_temperature_the_likeliest_token_is_taken() {
    let greedy = Sampling { temperature: 0.0, ..Sampling::default() };
    assert_eq!(drawn(&greedy, 3), [2, 2, 2]);
}

#[test]
fn the_same_seed_draws_the_same_tokens_and_another_one_others() {
    let other = Sampling { seed: 7, ..warm() };
    assert_eq!(drawn(&warm(), 50), drawn(&warm(), 50));
    assert_ne!(drawn(&warm(), 50), drawn(&other, 50));
}

#[test]
fn tokens_are_drawn_as_often_as_they_are_likely() {
    let tokens = drawn(&warm(), 10_000);
    let share = |id| tokens.iter().filter(|token| **token == id).count();
    // exp(0), exp(1) and exp(2) over their sum: 9.0, 24.5 and 66.5 percent.
    assert!((800..1000).contains(&share(0)), "{}", share(0));
    assert!((2300..2600).contains(&share(1)), "{}", share(1));
    assert!((6500..6800).contains(&share(2)), "{}", share(2));
    assert_eq!(share(3), 0);
}

#[test]
fn top_k_and_top_p_leave_only_the_likeliest() {
    let two = drawn(&Sampling { top_k: 2, ..warm() }, 200);
    assert!(two.contains(&1) && !two.contains(&0));
    let half = drawn(&Sampling { top_p: 0.5, ..warm() }, 200);
    assert!(half.iter().all(|token| *token == 2));
}

#[test]
fn min_p_leaves_out_what_is_far_less_likely_than_the_likeliest() {
    // exp(-1) is 0.37 and exp(-2) is 0.14.
    let two = drawn(&Sampling { min_p: 0.2, ..warm() }, 200);
    assert!(two.contains(&1) && !two.contains(&0));
}

#[test]
fn what_was_said_often_is_said_less_and_what_is_wanted_again_is_said_more() {
    let next = |change: Sampling, times: usize| {
        let mut sampler = Sampler::new(Sampling { temperature: 0.0, ..change });
        (0..times).for_each(|_| sampler.saw(LlamaToken(2)));
        sampler.choose(&SCORES, None)
    };
    let often = Sampling { frequency_penalty: 0.4, ..Sampling::default() };
    assert_eq!(next(often.clone(), 2), Some(LlamaToken(2)));
    assert_eq!(next(often, 3), Some(LlamaToken(1)));
    let once = Sampling { presence_penalty: 1.1, ..Sampling::default() };
    assert_eq!(next(once, 1), Some(LlamaToken(1)));
}

#[test]
fn only_allowed_tokens_are_drawn() {
    for temperature in [0.0, 1.0] {
        let mut sampler = Sampler::new(Sampling { temperature, ..warm() });
        assert_eq!(sampler.choose(&SCORES, Some(&only(&[3]))), Some(LlamaToken(3)));
        assert_eq!(sampler.choose(&SCORES, Some(&only(&[]))), None);
    }
}

#[test]
fn a_penalty_makes_room_for_what_was_not_said_yet() {
    let sampling = Sampling { temperature: 0.0, repeat_penalty: 4.0, ..Sampling::default() };
    let mut sampler = Sampler::new(sampling);
    sampler.saw(LlamaToken(2));
    assert_eq!(sampler.choose(&SCORES, None), Some(LlamaToken(1)));
}

proptest! {
    /// Scores come from a few values, so that many are equal.
    #[test]
    fn the_likeliest_are_those_that_sorting_all_would_give(
        values in vec((-9..9i8, any::<bool>()), 0..400),
        most in 1..50usize,
        is_masked in any::<bool>(),
    ) {
        let scores: Vec<f32> = values.iter().map(|(score, _)| f32::from(*score)).collect();
        let mut mask = SimpleVob::alloc(scores.len());
        let mut sorted = Vec::new();
        for (id, (score, is_allowed)) in (0..).zip(&values) {
            if *is_allowed || !is_masked {
                mask.allow_token(id);
                sorted.push((-*score, id));
            }
        }
        sorted.sort_unstable();
        sorted.truncate(most);
        let found = likeliest(&scores, is_masked.then_some(&mask), most);
        let found: Vec<u32> = found.iter().map(|one| one.id).collect();
        prop_assert_eq!(found, sorted.iter().map(|(_, id)| *id).collect::<Vec<u32>>());
    }
}

#[test]
fn a_score_that_is_no_number_is_never_drawn() {
    let mut sampler = Sampler::new(Sampling { temperature: 0.0, ..Sampling::default() });
    assert_eq!(sampler.choose(&[f32::NAN, 1.0, f32::NAN], None), Some(LlamaToken(1)));
    assert_eq!(sampler.choose(&[f32::NAN], None), None);
}
