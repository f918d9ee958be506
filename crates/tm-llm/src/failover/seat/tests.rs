use super::*;
use crate::chat::{ChatRequest, Message, Sampling};

fn seat() -> Arc<Seat> {
    let nobody = || BackendError::Refused { model: "a".into(), reason: "nobody is here".into() };
    let open: Open = Box::new(move || Box::pin(async move { Err(nobody()) }));
    Arc::new(Seat::new("a".to_owned(), open, Some(1)))
}

fn question() -> Question {
    Question::of(&ChatRequest {
        messages: vec![Message::user("how many?")],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 9,
        deadline: Instant::now(),
    })
}

#[test]
fn a_model_that_never_said_a_word_gets_longer_each_time_until_it_does() {
    let (seat, question, least) = (seat(), question(), Duration::from_secs(5));
    let mut turn = seat.begin(question, Standing::Well, &Arc::default()).unwrap();
    let mut begun = Instant::now();
    let mut gets = Vec::new();
    for _ in 0..7 {
        gets.push(turn.first_word_patience(question, least).as_secs());
        let now = begun + Duration::from_secs(5);
        seat.fell_silent(begun, now);
        // Who waited beside it has learnt nothing new.
        seat.fell_silent(begun, now);
        begun = now;
    }
    assert_eq!(gets, [5, 10, 20, 40, 80, 80, 80]);
    turn.has_spoken();
    assert_eq!(turn.first_word_patience(question, least).as_secs(), 5);
}

#[tokio::test]
async fn a_model_that_has_failed_since_it_was_chosen_is_not_asked() {
    let (seat, question) = (seat(), question());
    let freed = Arc::default();
    let begin = |chosen_as| seat.begin(question, chosen_as, &freed).map(drop);
    assert_eq!(begin(Standing::Well), Ok(()));
    seat.failed(&BackendError::Broken { model: "a".into(), reason: "it fell over".into() });
    assert_eq!(begin(Standing::Well), Err(NoTurn::Worse));
    assert_eq!(begin(Standing::Rested), Err(NoTurn::Worse));
    // Nobody else was left.
    let turn = seat.begin(question, Standing::Resting, &freed);
    assert_eq!(begin(Standing::Resting), Err(NoTurn::Full));
    drop(turn);
    assert_eq!(begin(Standing::Resting), Ok(()));
}
