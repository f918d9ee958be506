use super::*;

fn store(directory: &tempfile::TempDir) -> KeyStore {
    KeyStore::new(directory.path().join("keys"))
}

fn wanted(name: &str) -> NewKey {
    NewKey { name: name.to_owned(), ..NewKey::default() }
}

#[tokio::test]
async fn a_key_is_known_until_it_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let ring = KeyRing::new(store.clone());
    let now = Instant::now();
    assert_eq!(ring.admit("anything", now).await, Err(Refusal::Unknown));
    let (key, secret) = store.add(wanted("laptop"), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(ring.admit(secret.text(), now).await.unwrap().name, "laptop");
    for other in ["", "tm-", &secret.text()[1..], &key.id, &key.sha256] {
        assert_eq!(ring.admit(other, now).await, Err(Refusal::Unknown), "{other}");
    }
    let (_, other) = store.add(wanted("phone"), Timestamp::UNIX_EPOCH).unwrap();
    assert_ne!(other.text(), secret.text());
    store.remove(&key.id).unwrap();
    assert_eq!(ring.admit(secret.text(), now).await, Err(Refusal::Unknown));
    assert!(ring.admit(other.text(), now).await.is_ok());
}

#[test]
fn nothing_on_the_disk_is_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let (key, secret) = store.add(wanted("laptop"), Timestamp::UNIX_EPOCH).unwrap();
    let path = store.path(&key);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("laptop") && !text.contains(&secret.text()[3..]), "{text}");
    assert!(!format!("{secret:?} {key:?}").contains(&secret.text()[3..]));
    assert_eq!(secret.text().len(), 67);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&store.directory)), (0o600, 0o700));
    }
}

#[tokio::test]
async fn names_are_what_keys_are_told_apart_by() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    for name in ["b", "a"] {
        store.add(wanted(name), Timestamp::UNIX_EPOCH).unwrap();
    }
    let listed: Vec<String> = store.list().unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(listed, ["a", "b"]);
    let add = |name: &str| store.add(wanted(name), Timestamp::UNIX_EPOCH).unwrap_err().to_string();
    assert_eq!(add("a"), "there is a key \"a\" already");
    assert_eq!(add(" "), "a key needs a name");
    assert_eq!(store.remove("c").unwrap_err().to_string(), "there is no key \"c\"");
    fs::write(store.directory.join("x.json"), "{").unwrap();
    assert!(store.list().unwrap_err().to_string().contains("x.json"));
    let ring = KeyRing::new(store);
    assert_eq!(ring.admit("a", Instant::now()).await, Err(Refusal::Unknown));
}

#[tokio::test]
async fn a_key_is_used_so_often_a_minute_and_then_told_when_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let limited = NewKey { requests_per_minute: Some(3), ..wanted("a") };
    let (_, secret) = store.add(limited, Timestamp::UNIX_EPOCH).unwrap();
    let (_, other) = store.add(wanted("b"), Timestamp::UNIX_EPOCH).unwrap();
    let (ring, begin) = (KeyRing::new(store), Instant::now());
    let at = |seconds: u64| ring.admit(secret.text(), begin + Duration::from_secs(seconds));
    for _ in 0..3 {
        assert!(at(0).await.is_ok());
    }
    assert_eq!(at(0).await, Err(Refusal::TooMany { retry_after_s: 20 }));
    assert_eq!(at(15).await, Err(Refusal::TooMany { retry_after_s: 5 }));
    assert!(at(20).await.is_ok());
    assert_eq!(at(20).await, Err(Refusal::TooMany { retry_after_s: 20 }));
    assert!(ring.admit(other.text(), begin).await.is_ok());
}

#[test]
fn a_key_is_good_for_the_models_it_names() {
    let check = |models: &[&str], model: &str, role: &str| {
        let models = models.iter().map(ToString::to_string).collect();
        let (id, name, sha256, created) = <_>::default();
        KeyRecord { id, name, sha256, created, requests_per_minute: None, models }
            .allows(model, role)
    };
    assert!(check(&[], "gpt-4o", "main"));
    assert!(check(&["main"], "gpt-4o", "main"));
    assert!(check(&["GPT-4o"], "gpt-4o", "main"));
    assert!(!check(&["gpt-4o"], "claude", "main"));
    assert!(!check(&["main"], "sonar", "research"));
}
