use super::*;

fn broken() -> BackendError {
    BackendError::Broken { model: "m".to_owned(), reason: "r".to_owned() }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn a_failed_model_rests_and_then_gets_one_question() {
    let (mut breaker, start) = (Breaker::default(), Instant::now());
    breaker.failed(start, &broken());
    assert_eq!(breaker.standing(start), Standing::Resting);
    let later = start + seconds(1);
    assert_eq!(breaker.standing(later), Standing::Rested);
    breaker.begin(later);
    assert_eq!(breaker.standing(later), Standing::Resting, "one question and no more");
    breaker.succeeded(later);
    assert_eq!(breaker.standing(later), Standing::Well);
}

#[test]
fn a_model_that_comes_and_goes_rests_longer_each_time() {
    let (mut breaker, mut now) = (Breaker::default(), Instant::now());
    for rest in [1, 2, 4, 8, 16, 32, 60, 60] {
        breaker.failed(now, &broken());
        let almost = now + Duration::from_millis(rest * 1000 - 1);
        assert_eq!(breaker.standing(almost), Standing::Resting, "{rest}");
        now += seconds(rest);
        assert_eq!(breaker.standing(now), Standing::Rested, "{rest}");
        breaker.begin(now);
        breaker.succeeded(now);
    }
    now += seconds(3600);
    breaker.failed(now, &broken());
    assert_eq!(breaker.standing(now + seconds(1)), Standing::Rested, "a good hour counts");
}

#[test]
fn a_busy_server_is_left_alone_as_long_as_it_asks() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    let retry_after = Some(seconds(90));
    breaker.failed(now, &BackendError::Busy { model: "m".to_owned(), retry_after });
    assert_eq!(breaker.standing(now + seconds(89)), Standing::Resting);
    assert_eq!(breaker.standing(now + seconds(90)), Standing::Rested);
}

#[test]
fn a_question_that_nobody_waits_for_shows_nothing() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    breaker.failed(now, &broken());
    let later = now + seconds(1);
    breaker.begin(later);
    breaker.abandoned(later);
    assert_eq!(breaker.standing(later), Standing::Rested, "the next one may try");
}

#[test]
fn a_wrong_question_is_not_its_fault_and_where_nothing_may_be_sent_nothing_ever_is() {
    let now = Instant::now();
    let mut breaker = Breaker::default();
    let refused = BackendError::Refused { model: "m".to_owned(), reason: "r".to_owned() };
    breaker.failed(now, &refused);
    assert_eq!(breaker.standing(now), Standing::Well);
    let elsewhere = BackendError::NotLocal { model: "m".to_owned(), server: "s".to_owned() };
    breaker.failed(now, &elsewhere);
    assert_eq!(breaker.standing(now + seconds(9999)), Standing::Excluded);
}

#[test]
fn what_somebody_can_mend_meanwhile_is_tried_again() {
    let (model, reason) = ("m".to_owned(), "r".to_owned());
    let errors = [
        BackendError::ModelMissing { model: model.clone(), server: "s".to_owned() },
        BackendError::Unauthorized { model: model.clone(), reason: reason.clone() },
        BackendError::OutOfMemory { model, needed_mib: 2, available_mib: 1 },
        BackendError::Load { path: "m.gguf".into(), reason },
    ];
    for error in errors {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        breaker.failed(now, &error);
        assert_eq!(breaker.standing(now), Standing::Resting, "{error}");
        assert_eq!(breaker.standing(now + seconds(1)), Standing::Rested, "{error}");
    }
}

#[test]
fn a_model_that_failed_elsewhere_rests_here_and_only_what_was_seen_here_is_told() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    assert_eq!(breaker.health(now), Health::Well);
    breaker.told_to_rest(now, seconds(5));
    assert_eq!(breaker.standing(now + seconds(4)), Standing::Resting);
    assert_eq!(breaker.health(now), Health::Unsure, "others know it already");
    assert_eq!(breaker.standing(now + seconds(5)), Standing::Rested);
    breaker.failed(now, &broken());
    assert_eq!(breaker.health(now), Health::Failed { left: seconds(1) }, "its first failure here");
    breaker.told_to_rest(now, seconds(60));
    assert_eq!(breaker.health(now), Health::Failed { left: seconds(1) }, "it rests already");
    assert_eq!(breaker.health(now + seconds(1)), Health::Unsure);
}
