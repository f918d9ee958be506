use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use tm_testkit::redis::RedisServer;
use tokio::{net::TcpListener, time::sleep};

use super::*;

const HOUR: Duration = Duration::from_hours(1);

/// A store, and how often it was told to have changed for the worse and for the better.
fn store(url: &str) -> (RedisStore, Arc<[AtomicUsize; 2]>) {
    let told: Arc<[AtomicUsize; 2]> = Arc::default();
    let counting = Arc::clone(&told);
    let on_change = Arc::new(move |trouble: Option<&StoreError>| {
        let index = usize::from(trouble.is_none());
        counting[index].fetch_add(1, Ordering::Relaxed);
    });
    let store = RedisStore::open(url, Guard::default(), Arc::new(|_| ()), on_change);
    (store.unwrap(), told)
}

fn counts(told: &[AtomicUsize; 2]) -> (usize, usize) {
    (told[0].load(Ordering::Relaxed), told[1].load(Ordering::Relaxed))
}

fn key() -> Key {
    Key::of(&json!("a")).unwrap()
}

async fn put(store: &RedisStore) -> Result<(), StoreError> {
    store.put(&key(), Made { answer: &json!(1), by: "script" }, HOUR).await
}

#[tokio::test]
async fn a_server_that_is_gone_is_left_alone_and_found_again() {
    let Some(mut server) = RedisServer::start() else { return };
    let (store, told) = store(&server.url());
    put(&store).await.unwrap();
    assert_eq!(store.get(&key(), HOUR).await.unwrap(), Some(json!(1)));
    server.stop();
    assert!(store.get(&key(), HOUR).await.is_err());
    for _ in 0..1000 {
        assert!(matches!(store.get(&key(), HOUR).await, Ok(None)));
        put(&store).await.unwrap();
    }
    assert_eq!(counts(&told), (1, 0));
    assert!(server.start_again());
    while counts(&told).1 == 0 {
        sleep(Duration::from_millis(20)).await;
        put(&store).await.unwrap();
    }
    put(&store).await.unwrap();
    assert_eq!(store.get(&key(), HOUR).await.unwrap(), Some(json!(1)));
    assert_eq!(counts(&told), (1, 1));
}

#[tokio::test]
async fn a_server_that_never_answers_holds_nobody_up_for_long() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (store, told) = store(&format!("redis://{}", listener.local_addr().unwrap()));
    let begun = Instant::now();
    let key = key();
    let looks = (0..50).map(|_| store.get(&key, HOUR));
    let found = futures_util::future::join_all(looks).await;
    assert!(found.iter().all(|it| !matches!(it, Ok(Some(_)))));
    assert!(store.get(&key, HOUR).await.unwrap().is_none());
    // A tenth of a second, and what a busy machine adds to it.
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(counts(&told), (1, 0));
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_is_made_anew() {
    let Some(server) = RedisServer::start() else { return };
    let (store, told) = store(&server.url());
    put(&store).await.unwrap();
    server.reply("CLIENT KILL TYPE normal SKIPME yes").unwrap();
    assert_eq!(store.get(&key(), HOUR).await.unwrap(), Some(json!(1)));
    assert_eq!(counts(&told), (0, 0));
}

#[tokio::test]
async fn redis_itself_forgets_what_is_too_old() {
    let Some(server) = RedisServer::start() else { return };
    let (store, _) = store(&server.url());
    put(&store).await.unwrap();
    let reply = server.reply(&format!("TTL {}", name(&key()))).unwrap();
    assert!(reply.starts_with(":3600") || reply.starts_with(":3599"), "{reply}");
}

#[tokio::test]
async fn a_password_is_used_and_shown_to_nobody() {
    let Some(server) = RedisServer::start() else { return };
    assert!(server.reply("CONFIG SET requirepass s3cret").unwrap().starts_with("+OK"));
    let at = |password: &str| format!("redis://:{password}@127.0.0.1:{}/3", server.port);
    let (known, _) = store(&at("s3cret"));
    known.ping().await.unwrap();
    let (unknown, _) = store(&at("gue55"));
    let error = unknown.ping().await.unwrap_err().to_string();
    for text in [error, format!("{known:?} {unknown:?}"), known.url().to_owned()] {
        assert!(!text.contains("s3cret") && !text.contains("gue55"), "{text}");
    }
    assert!(known.url().ends_with("/3"), "{}", known.url());
}

#[test]
fn hosts_that_are_not_local_are_not_reached() {
    let open = |url: &str, guard: Guard| {
        let blocked: Arc<StdMutex<Vec<String>>> = Arc::default();
        let noting = Arc::clone(&blocked);
        let on_blocked = Arc::new(move |host: &str| noting.lock().unwrap().push(host.to_owned()));
        let store = RedisStore::open(url, guard, on_blocked, Arc::new(|_| ()));
        (store, Arc::try_unwrap(blocked).unwrap_or_default().into_inner().unwrap())
    };
    let (store, blocked) = open("redis://:secret@cache.example:6379", Guard::default());
    let Err(StoreError::NotLocal { host }) = store else { panic!("{store:?}") };
    assert_eq!((host.as_str(), blocked), ("cache.example", vec!["cache.example".to_owned()]));
    let listed = Guard::new(["cache.example".to_owned()]);
    assert_eq!(
        open("redis://cache.example", listed).0.unwrap().url(),
        "redis://cache.example:6379/0"
    );
    assert_eq!(open("redis://[::1]/2", Guard::default()).0.unwrap().url(), "redis://[::1]:6379/2");
    for url in ["rediss://:secret@127.0.0.1", "http://:secret@127.0.0.1", ":secret", ""] {
        let Err(error) = open(url, Guard::default()).0 else { panic!("{url}") };
        assert!(matches!(error, StoreError::NoAddress { .. }), "{url}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
