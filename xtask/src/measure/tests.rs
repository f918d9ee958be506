use super::*;

#[test]
fn the_median_is_the_one_in_the_middle() {
    let ms = |all: &[u64]| median(all.iter().map(|it| Duration::from_millis(*it)).collect());
    assert_eq!(ms(&[900, 1, 3]), Duration::from_millis(3));
    assert_eq!(ms(&[]), Duration::ZERO);
}

#[test]
fn what_is_slow_is_run_a_few_times() {
    let cost = cost(|| Ok(Duration::from_secs(9)), || Ok(Some(2048))).unwrap();
    assert_eq!((cost.runs, cost.median, cost.peak_kib), (RUNS, Duration::from_secs(9), Some(2048)));
    assert_eq!((mib(2048), mib(1536)), ("2.0".to_owned(), "1.5".to_owned()));
}

#[test]
fn a_command_that_fails_is_not_measured() {
    let project = Project::lay_out(3, 2).unwrap();
    let mut failing = command(Path::new("/bin/ls"), &["no-such-{n}"], 7, &project).unwrap();
    assert!(timed(&mut failing).unwrap_err().to_string().contains("no-such-7"));
}
