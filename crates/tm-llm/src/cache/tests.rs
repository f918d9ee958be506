use std::{fs, sync::Arc};

use serde_json::json;
use tm_testkit::redis::RedisServer;
use tokio::task::JoinSet;

use super::*;
use crate::{
    egress::guard::Guard,
    fleet::server::{Address, Server},
};

const HOUR: Duration = Duration::from_hours(1);

/// Where answers are kept, once for each kind of store.
enum Place {
    Directory(tempfile::TempDir),
    Server(RedisServer),
}

impl Place {
    /// One that is empty, of each kind that can be had here.
    fn each() -> Vec<Self> {
        let directory = Self::Directory(tempfile::tempdir().unwrap());
        std::iter::once(directory).chain(RedisServer::start().map(Self::Server)).collect()
    }

    /// A store as another process would have it.
    fn store(&self) -> Store {
        match self {
            Self::Directory(directory) => files(directory).into(),
            Self::Server(server) => {
                let (guard, on_blocked) = (Guard::default(), Arc::new(|_: &str| ()));
                let address = Address { url: &server.url(), guard, on_blocked, certificates: &[] };
                RedisStore::new(Server::open(address, Arc::new(|_| ())).unwrap()).into()
            }
        }
    }

    fn cache(&self) -> Cache<u8> {
        Cache::new(self.store(), HOUR)
    }

    /// Makes an answer older, or of the future, or no answer at all.
    fn spoil(&self, key: &Key, made_s: u64, answer: &str) {
        match self {
            Self::Directory(directory) => {
                let path = files(directory).path(key);
                let entry = fs::read_to_string(&path).unwrap();
                let mut entry: Value = serde_json::from_str(&entry).unwrap();
                entry["made_s"] = made_s.into();
                let text = entry.to_string().replace("\"one\"", answer);
                fs::write(path, text).unwrap();
            }
            Self::Server(server) => {
                let name = format!("task-master:answer:1:{}", key.as_str());
                let answer = answer.replace('"', "\\\"");
                let command = format!("HSET {name} made_s {made_s} answer \"{answer}\"");
                assert!(server.reply(&command).unwrap().starts_with(":0"));
            }
        }
    }

    /// The store is there no more.
    fn break_it(&mut self) {
        match self {
            Self::Directory(directory) => {
                drop(fs::remove_dir_all(directory.path().join("answers")));
                fs::write(directory.path().join("answers"), "in the way").unwrap();
            }
            Self::Server(server) => server.stop(),
        }
    }
}

fn files(directory: &tempfile::TempDir) -> FileStore {
    FileStore::open(directory.path().join("answers")).unwrap()
}

fn key(what: &str) -> Key {
    Key::of(&json!({ "question": what })).unwrap()
}

/// What is kept, when nobody need be asked.
async fn kept(cache: &Cache<u8>, what: &str) -> Option<Value> {
    match cache.look(&key(what)).await {
        Found::Kept(answer) => Some(answer),
        Found::Shared(_) => panic!("nobody else asks"),
        Found::Nothing(_) => None,
    }
}

#[test]
fn a_key_is_the_same_for_the_same_and_another_for_anything_else() {
    assert_eq!(key("a"), key("a"));
    assert_ne!(key("a"), key("b"));
    assert_ne!(Key::of(&json!([1, 2])), Key::of(&json!([2, 1])));
}

#[tokio::test]
async fn an_answer_is_found_again_by_everybody_who_shares_the_store() {
    for place in Place::each() {
        let (cache, other) = (place.cache(), place.cache());
        let answer = json!({"text": "one", "more": ["ä", "\u{0}", 1.5]});
        assert_eq!(kept(&cache, "a").await, None);
        cache.keep(&key("a"), &answer, "script").await;
        assert_eq!(kept(&other, "a").await, Some(answer));
        assert_eq!(kept(&other, "b").await, None);
        cache.keep(&key("a"), &json!("new"), "script").await;
        assert_eq!(kept(&other, "a").await, Some(json!("new")));
        assert_eq!((cache.failures(), other.failures()), (0, 0));
    }
}

#[tokio::test]
async fn an_answer_that_is_too_old_or_of_the_future_or_broken_is_not_there() {
    for place in Place::each() {
        let cache = place.cache();
        let now = store::now_s();
        for (made_s, answer, expected) in [
            (now, "\"one\"", Some(json!("one"))),
            (now - 3500, "\"one\"", Some(json!("one"))),
            (now - 3700, "\"one\"", None),
            (now + 100, "\"one\"", None),
            (now, "{\"one", None),
            (now, "", None),
        ] {
            cache.keep(&key("a"), &json!("one"), "script").await;
            place.spoil(&key("a"), made_s, answer);
            assert_eq!(kept(&cache, "a").await, expected, "{made_s} {answer}");
        }
    }
}

#[tokio::test]
async fn answers_are_counted_and_forgotten_for_everybody() {
    for place in Place::each() {
        let (cache, store) = (place.cache(), place.store());
        assert_eq!(store.stats().await.unwrap(), Stats::default());
        for (what, by) in [("a", "qwen3"), ("b", "qwen3 at http://box:80/v1"), ("c", "qwen3-32b")] {
            cache.keep(&key(what), &json!("one"), by).await;
        }
        place.spoil(&key("c"), store::now_s() - 1000, "\"one\"");
        let stats = store.stats().await.unwrap();
        assert!(stats.answers == 3 && stats.bytes > 0 && stats.age_s <= 1001, "{stats:?}");
        let by = |name: &str| Which { by: Some(name.to_owned()), ..Which::default() };
        let older = |age_s| Which { older_than: Some(Duration::from_secs(age_s)), by: None };
        assert_eq!(store.clear(by("qwen")).await.unwrap(), 0);
        assert_eq!(store.clear(older(1500)).await.unwrap(), 0);
        assert_eq!(store.clear(older(500)).await.unwrap(), 1);
        assert_eq!(kept(&cache, "c").await, None);
        assert_eq!(store.clear(by("qwen3")).await.unwrap(), 2);
        assert_eq!(kept(&cache, "a").await, None);
        cache.keep(&key("a"), &json!("one"), "qwen3").await;
        assert_eq!(store.clear(Which::default()).await.unwrap(), 1);
        assert_eq!(
            (kept(&cache, "a").await, store.stats().await.unwrap()),
            (None, Stats::default())
        );
    }
}

#[tokio::test]
async fn a_store_that_fails_costs_no_answer_and_is_counted() {
    for mut place in Place::each() {
        let (cache, store) = (place.cache(), place.store());
        cache.keep(&key("a"), &json!(1), "script").await;
        assert_eq!(kept(&cache, "a").await, Some(json!(1)));
        place.break_it();
        for failures in [1, 2] {
            cache.keep(&key("b"), &json!(2), "script").await;
            assert!(cache.failures() == failures && kept(&cache, "b").await.is_none());
        }
        assert!(store.stats().await.unwrap_err().to_string().contains("cannot be used"));
        assert!(store.clear(Which::default()).await.is_err());
    }
}

#[tokio::test]
async fn those_who_ask_the_same_at_once_share_what_comes_of_it() {
    for place in Place::each() {
        let cache = Arc::new(place.cache());
        let Found::Nothing(lead) = cache.look(&key("a")).await else { panic!("who leads?") };
        let mut other = JoinSet::new();
        let waiting = Arc::clone(&cache);
        other.spawn(async move { waiting.look(&key("a")).await });
        // Another process asks on its own.
        assert!(matches!(place.cache().look(&key("a")).await, Found::Nothing(_)));
        cache.keep(&key("a"), &json!(1), "script").await;
        lead.tell(7);
        let found = other.join_next().await.unwrap().unwrap();
        assert!(matches!(found, Found::Shared(7) | Found::Kept(_)), "{found:?}");
    }
}

fn put(store: &FileStore, what: &str) {
    store.put(&key(what), Made { answer: &json!("one"), by: "script" }).unwrap();
}

#[test]
fn a_file_of_another_form_or_of_another_key_is_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let store = files(&directory);
    put(&store, "a");
    let path = store.path(&key("a"));
    let entry = fs::read_to_string(&path).unwrap();
    for (from, to) in [(key("a").as_str(), key("b").as_str()), ("\"version\":1", "\"version\":0")] {
        fs::write(&path, entry.replace(from, to)).unwrap();
        assert_eq!(store.get(&key("a"), HOUR), None, "{to}");
    }
}

#[test]
fn the_oldest_answers_make_room() {
    let directory = tempfile::tempdir().unwrap();
    let store = files(&directory).with_room_for(20);
    for number in 0..50 {
        put(&store, &number.to_string());
    }
    let stats = store.stats().unwrap();
    assert!(stats.answers <= 20 && stats.bytes > 0, "{stats:?}");
    assert_eq!(store.get(&key("49"), HOUR), Some(json!("one")));
    assert_eq!(store.clear(&Which::default()).unwrap(), stats.answers);
    assert_eq!(store.stats().unwrap(), Stats::default());
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let store = files(&directory);
    put(&store, "a");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = store.path(&key("a"));
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
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
