use super::*;
use crate::chat::{ChatRequest, Message, Sampling};

#[tokio::test]
async fn a_model_that_has_failed_since_it_was_chosen_is_not_asked() {
    let nobody = || BackendError::Refused { model: "a".into(), reason: "nobody is here".into() };
    let open: Open = Box::new(move || Box::pin(async move { Err(nobody()) }));
    let seat = Arc::new(Seat::new("a".to_owned(), open, Some(1)));
    let question = Question::of(&ChatRequest {
        messages: vec![Message::user("how many?")],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 9,
        deadline: Instant::now(),
    });
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
