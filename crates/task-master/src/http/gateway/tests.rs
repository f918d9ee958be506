use super::{host_is_local, is_search_model};

#[test]
fn only_this_machine_counts_as_local() {
    for local in ["localhost", "LOCALHOST:8484", "127.0.0.1:1", "127.3.2.1", "[::1]:8484"] {
        assert!(host_is_local(local), "{local}");
    }
    for other in
        ["example.org", "localhost.example.org:80", "10.0.0.1", "127.0.0.1.nip.io", "null", ""]
    {
        assert!(!host_is_local(other), "{other}");
    }
}

#[test]
fn models_that_search_are_told_from_those_that_do_not() {
    assert!(is_search_model("sonar-pro") && is_search_model("perplexity/sonar"));
    assert!(!is_search_model("gpt-4o") && !is_search_model("claude-sonnet-4"));
}
