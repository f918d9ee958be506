use std::{fs, sync::Arc};

use serde_json::json;
use tokio::task::JoinSet;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn key(what: &str) -> Key {
    Key::of(&json!({ "question": what })).unwrap()
}

fn store(directory: &tempfile::TempDir) -> FileStore {
    FileStore::open(directory.path().join("answers")).unwrap()
}

#[test]
fn a_key_is_the_same_for_the_same_and_another_for_anything_else() {
    assert_eq!(key("a"), key("a"));
    assert_ne!(key("a"), key("b"));
    assert_ne!(Key::of(&json!([1, 2])), Key::of(&json!([2, 1])));
}

#[tokio::test]
async fn an_answer_is_found_again_by_everybody_who_has_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let cache: Cache<u8> = Cache::new(store(&directory), HOUR);
    assert!(matches!(cache.look(&key("a")).await, Found::Nothing(_)));
    cache.keep(&key("a"), &json!({"text": "one"})).await;
    let other: Cache<u8> = Cache::new(store(&directory), HOUR);
    let Found::Kept(answer) = other.look(&key("a")).await else { panic!("nothing was kept") };
    assert_eq!(answer, json!({"text": "one"}));
    assert!(matches!(other.look(&key("b")).await, Found::Nothing(_)));
}

#[test]
fn an_answer_that_is_too_old_or_broken_or_of_another_key_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    store.put(&key("a"), &json!(1)).unwrap();
    assert_eq!(store.get(&key("a"), HOUR), Some(json!(1)));
    let path = store.path(&key("a"));
    let entry = fs::read_to_string(&path).unwrap();
    let made = serde_json::from_str::<Value>(&entry).unwrap()["made_s"].as_u64().unwrap();
    let check = |text: String| {
        fs::write(&path, text).unwrap();
        assert_eq!(store.get(&key("a"), HOUR), None);
    };
    check(entry.replace(&made.to_string(), &(made - 3601).to_string()));
    check(entry.replace(&made.to_string(), &(made + 3601).to_string()));
    check(entry.replace(key("a").as_str(), key("b").as_str()));
    check(entry.replace("\"version\":1", "\"version\":0"));
    check(entry[..entry.len() / 2].to_owned());
    store.put(&key("a"), &json!(2)).unwrap();
    assert_eq!(store.get(&key("a"), HOUR), Some(json!(2)));
}

#[test]
fn the_oldest_answers_make_room() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory).with_room_for(20);
    for number in 0..50 {
        store.put(&key(&number.to_string()), &json!(number)).unwrap();
    }
    let stats = store.stats().unwrap();
    assert!(stats.answers <= 20 && stats.bytes > 0, "{stats:?}");
    assert_eq!(store.get(&key("49"), HOUR), Some(json!(49)));
    assert_eq!(store.clear().unwrap(), stats.answers);
    assert_eq!(store.stats().unwrap(), Stats::default());
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    store.put(&key("a"), &json!(1)).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = store.path(&key("a"));
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}

#[tokio::test]
async fn a_store_that_cannot_be_written_costs_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let cache: Cache<u8> = Cache::new(store(&directory), HOUR);
    fs::write(directory.path().join("answers"), "in the way").unwrap();
    cache.keep(&key("a"), &json!(1)).await;
    assert!(matches!(cache.look(&key("a")).await, Found::Nothing(_)));
}

#[tokio::test]
async fn equal_requests_at_the_same_time_are_asked_once() {
    let flights: Arc<Flights<u8>> = Arc::default();
    let Joined::Leads(lead) = flights.join(&key("a")).await else { panic!("who leads?") };
    let mut others = JoinSet::new();
    for _ in 0..5 {
        let flights = Arc::clone(&flights);
        others.spawn(async move { flights.join(&key("a")).await });
    }
    // Another request does not wait for it.
    assert!(matches!(flights.join(&key("b")).await, Joined::Leads(_)));
    tokio::task::yield_now().await;
    lead.tell(7);
    let outcomes = others.join_all().await;
    assert!(outcomes.iter().all(|it| matches!(it, Joined::Follows(7))), "{outcomes:?}");
    assert!(matches!(flights.join(&key("a")).await, Joined::Leads(_)));
}

#[tokio::test]
async fn who_waits_asks_when_whoever_asked_has_gone() {
    let flights: Arc<Flights<u8>> = Arc::default();
    let Joined::Leads(lead) = flights.join(&key("a")).await else { panic!("who leads?") };
    let mut other = JoinSet::new();
    let waiting = Arc::clone(&flights);
    other.spawn(async move { waiting.join(&key("a")).await });
    tokio::task::yield_now().await;
    drop(lead);
    assert!(matches!(other.join_next().await.unwrap().unwrap(), Joined::Leads(_)));
}
