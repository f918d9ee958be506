use super::*;

#[test]
fn loopback_and_listed_hosts_are_local_and_nothing_else_is() {
    let guard = Guard::new(["GPU-box".to_owned(), " 10.0.0.7 ".to_owned(), String::new()]);
    for url in [
        "http://localhost:11434/api",
        "http://127.0.0.1",
        "http://127.8.9.1:1",
        "http://[::1]:8080/v1",
        "http://[::ffff:127.0.0.1]/",
        "http://a.localhost/",
        "http://gpu-BOX:8000/v1",
        "http://10.0.0.7/",
    ] {
        assert_eq!(guard.check(url), Ok(()), "{url}");
    }
    for (url, host) in [
        ("https://api.openai.com/v1", "api.openai.com"),
        ("http://10.0.0.8/", "10.0.0.8"),
        ("http://0.0.0.0/", "0.0.0.0"),
        ("http://localhost.example.com/", "localhost.example.com"),
        ("http://localhost@example.com/", "example.com"),
        ("http://[::ffff:10.0.0.8]/", "::ffff:a00:8"),
        ("nonsense", "nonsense"),
        ("", ""),
    ] {
        assert_eq!(guard.check(url), Err(NotLocal { host: host.to_owned() }), "{url}");
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_this_machine_is_local() {
    let gate = Gate { guard: Guard::default(), on_blocked: Arc::new(|_| ()) };
    let found = gate.resolve("localhost".parse().unwrap()).await;
    assert!(found.unwrap().all(|it| it.ip().is_loopback()));
}
