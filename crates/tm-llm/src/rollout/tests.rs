use super::*;

fn trial(percent: u8) -> Trial {
    Trial { candidate: "fallback".to_owned(), percent, is_shadow: false, is_automatic: true }
}

/// `check("20 ok 100ms, 5 bad 0ms", ..)`: requests in the order in which they ended.
fn window(text: &str) -> Window {
    let mut window = Window::default();
    for (group, words) in text.split(", ").filter(|it| !it.is_empty()).enumerate() {
        let [count, kind, ms] = words.split(' ').collect::<Vec<_>>()[..] else { panic!("{words}") };
        for number in 0..count.parse().unwrap() {
            window.push(Outcome {
                id: format!("{group}-{number}"),
                is_good: kind == "ok",
                took: Duration::from_millis(ms.parse().unwrap()),
            });
        }
    }
    window
}

#[track_caller]
fn check(candidate: &str, incumbent: &str, expected: &str) {
    let verdict = judge(&trial(5), &window(candidate), &window(incumbent));
    let told = match verdict {
        Verdict::Hold => "hold".to_owned(),
        Verdict::Advance(percent) => format!("{percent} %"),
        Verdict::Back { why, examples } => format!("{why}: {}", examples.join(" ")),
    };
    assert_eq!(told, expected, "{candidate} | {incumbent}");
}

#[test]
fn a_trial_grows_holds_or_ends_by_what_its_requests_came_to() {
    check("", "", "hold");
    check("49 ok 100", "", "hold");
    check("50 ok 100", "50 ok 100", "25 %");
    check("4 bad 0", "", "hold");
    check("30 ok 100, 5 bad 0", "", "5 requests in a row failed: 1-4 1-3 1-2");
    check(
        "10 ok 1, 4 bad 0, 10 ok 1",
        "",
        "4 of 24 requests failed, of the others 0 of 0: 1-3 1-2 1-1",
    );
    check("10 ok 1, 1 bad 0, 9 ok 1", "", "hold");
    check("20 ok 9, 4 bad 0, 30 ok 9", "60 ok 9, 4 bad 0, 10 ok 9", "25 %");
    check(
        "40 ok 100, 10 ok 2500",
        "50 ok 1000",
        "95 % of the answers took up to 2.5 s, those of the others 1.0 s: 1-9 1-8 1-7",
    );
    check("50 ok 900", "50 ok 100", "25 %");
}

#[test]
fn a_share_that_grows_by_itself_ends_at_all_of_it_and_another_one_stays() {
    let well = window("60 ok 1");
    let mut growing = trial(1);
    let mut shares = vec![];
    while let Verdict::Advance(percent) = judge(&growing, &well, &well) {
        growing.percent = percent;
        shares.push(percent);
    }
    assert_eq!(shares, [5, 25, 50, 100]);
    let by_hand = Trial { is_automatic: false, ..trial(1) };
    assert_eq!(judge(&by_hand, &well, &well), Verdict::Hold);
}

#[test]
fn a_conversation_stays_where_it_is_when_the_share_grows() {
    let arms = |percent| (0..1000).map(move |it| trial(percent).arm(it));
    for (percent, next) in [(0, 1), (1, 5), (5, 25), (25, 50), (50, 100)] {
        assert_eq!(
            arms(percent).filter(|it| *it == Arm::Candidate).count(),
            10 * usize::from(percent)
        );
        let moved = arms(percent).zip(arms(next));
        assert!(moved.into_iter().all(|it| it != (Arm::Candidate, Arm::Incumbent)));
    }
    let shadow = Trial { is_shadow: true, ..trial(50) };
    assert!((0..100).all(|it| shadow.arm(it) == Arm::Incumbent));
    assert_eq!((0..100).filter(|it| shadow.shadows(*it)).count(), 50);
}
