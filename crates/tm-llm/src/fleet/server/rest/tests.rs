use super::*;

#[test]
fn one_asks_after_each_rest_and_each_is_longer_until_it_is_well() {
    let begun = Instant::now();
    let at = |seconds: f64| begun + Duration::from_secs_f64(seconds);
    let mut rest = Rest::default();
    assert!(rest.may_ask(at(0.0)) && rest.may_ask(at(0.0)) && !rest.succeeded());
    assert!(rest.failed(at(0.1)));
    // Those who were under way make nothing longer.
    assert!(!rest.failed(at(0.2)) && !rest.may_ask(at(1.0)));
    assert!(rest.may_ask(at(1.1)) && !rest.may_ask(at(1.1)));
    assert!(!rest.failed(at(1.2)) && !rest.may_ask(at(3.1)));
    // Whoever asks and goes away holds nobody up for long.
    assert!(rest.may_ask(at(3.2)) && !rest.may_ask(at(4.1)) && rest.may_ask(at(4.3)));
    assert!(rest.succeeded() && rest.may_ask(at(4.4)) && rest.may_ask(at(4.4)));
}

#[test]
fn no_rest_is_longer_than_half_a_minute() {
    let mut now = Instant::now();
    let mut rest = Rest::default();
    for _ in 0..40 {
        rest.failed(now);
        now += REST_MOST;
        assert!(rest.may_ask(now));
    }
}
