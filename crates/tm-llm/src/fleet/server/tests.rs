use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use tm_testkit::redis::RedisServer;
use tokio::{net::TcpListener, time::sleep};

use super::*;

/// A server, and how often it was told to have changed for the worse and for the better.
fn server(url: &str) -> (Server, Arc<[AtomicUsize; 2]>) {
    let told: Arc<[AtomicUsize; 2]> = Arc::default();
    let counting = Arc::clone(&told);
    let on_change = Arc::new(move |trouble: Option<&ServerError>| {
        let index = usize::from(trouble.is_none());
        counting[index].fetch_add(1, Ordering::Relaxed);
    });
    (open(url, &[], on_change).unwrap(), told)
}

fn open(url: &str, certificates: &[PathBuf], on_change: OnChange) -> Result<Server, ServerError> {
    let (guard, on_blocked) = (Guard::default(), Arc::new(|_: &str| ()));
    Server::open(Address { url, guard, on_blocked, certificates }, on_change)
}

fn counts(told: &[AtomicUsize; 2]) -> (usize, usize) {
    (told[0].load(Ordering::Relaxed), told[1].load(Ordering::Relaxed))
}

async fn count(server: &Server) -> Result<Option<u64>, ServerError> {
    let mut command = cmd("INCR");
    command.arg("n");
    server.quickly(Ask::One(command)).await
}

#[tokio::test]
async fn a_server_that_is_gone_is_left_alone_and_found_again() {
    let Some(mut redis) = RedisServer::start() else { return };
    let (server, told) = server(&redis.url());
    assert_eq!(count(&server).await.unwrap(), Some(1));
    redis.stop();
    count(&server).await.unwrap_err();
    for _ in 0..1000 {
        assert!(matches!(count(&server).await, Ok(None)));
    }
    assert_eq!(counts(&told), (1, 0));
    assert!(redis.start_again());
    while counts(&told).1 == 0 {
        sleep(Duration::from_millis(20)).await;
        drop(count(&server).await);
    }
    assert!(matches!(count(&server).await, Ok(Some(2..))));
    assert_eq!(counts(&told), (1, 1));
}

#[tokio::test]
async fn a_server_that_never_answers_holds_nobody_up_for_long() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (server, told) = server(&format!("redis://{}", listener.local_addr().unwrap()));
    let begun = Instant::now();
    let answers = futures_util::future::join_all((0..50).map(|_| count(&server))).await;
    assert!(answers.iter().all(|it| !matches!(it, Ok(Some(_)))));
    assert_eq!(count(&server).await.unwrap(), None);
    // A tenth of a second, and what a busy machine adds to it.
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(counts(&told), (1, 0));
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_is_made_anew() {
    let Some(redis) = RedisServer::start() else { return };
    let (server, told) = server(&redis.url());
    assert_eq!(count(&server).await.unwrap(), Some(1));
    redis.reply("CLIENT KILL TYPE normal SKIPME yes").unwrap();
    assert_eq!(count(&server).await.unwrap(), Some(2));
    assert_eq!(counts(&told), (0, 0));
}

#[tokio::test]
async fn a_password_is_used_and_shown_to_nobody() {
    let Some(redis) = RedisServer::start() else { return };
    assert!(redis.reply("CONFIG SET requirepass s3cret").unwrap().starts_with("+OK"));
    let at = |password: &str| format!("redis://:{password}@127.0.0.1:{}/3", redis.port);
    let (known, _) = server(&at("s3cret"));
    known.ping().await.unwrap();
    let (unknown, _) = server(&at("gue55"));
    let error = unknown.ping().await.unwrap_err().to_string();
    for text in [error, format!("{known:?} {unknown:?}"), known.url().to_owned()] {
        assert!(!text.contains("s3cret") && !text.contains("gue55"), "{text}");
    }
    assert!(known.url().ends_with("/3"), "{}", known.url());
}

#[tokio::test]
async fn what_is_said_to_a_server_that_encrypts_is_encrypted_when_its_certificate_is_trusted() {
    let Some(redis) = RedisServer::start_encrypting() else { return };
    let quiet = || Arc::new(|_: Option<&ServerError>| ()) as OnChange;
    let trusting = open(&redis.encrypted_url(), &[redis.certificate()], quiet()).unwrap();
    assert!(trusting.url().starts_with("rediss://localhost:"), "{}", trusting.url());
    assert_eq!(count(&trusting).await.unwrap(), Some(1));
    let error = open(&redis.encrypted_url(), &[], quiet()).unwrap().ping().await.unwrap_err();
    assert!(matches!(&error, ServerError::Unusable { .. }), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    let missing = open(&redis.encrypted_url(), &["nowhere.pem".into()], quiet()).unwrap_err();
    assert!(missing.to_string().contains("nowhere.pem"), "{missing}");
}

#[test]
fn hosts_that_are_not_local_are_not_reached() {
    let open = |url: &str, guard: Guard| {
        let blocked: Arc<StdMutex<Vec<String>>> = Arc::default();
        let noting = Arc::clone(&blocked);
        let on_blocked = Arc::new(move |host: &str| noting.lock().unwrap().push(host.to_owned()));
        let address = Address { url, guard, on_blocked, certificates: &[] };
        let server = Server::open(address, Arc::new(|_| ()));
        (server, Arc::try_unwrap(blocked).unwrap_or_default().into_inner().unwrap())
    };
    let (server, blocked) = open("redis://:secret@cache.example:6379", Guard::default());
    let Err(ServerError::NotLocal { host }) = server else { panic!("{server:?}") };
    assert_eq!((host.as_str(), blocked), ("cache.example", vec!["cache.example".to_owned()]));
    let listed = Guard::new(["cache.example".to_owned()]);
    for (url, shown) in [
        ("redis://cache.example", "redis://cache.example:6379/0"),
        ("redis://[::1]/2", "redis://[::1]:6379/2"),
        ("rediss://:secret@127.0.0.1", "rediss://127.0.0.1:6379/0"),
    ] {
        assert_eq!(open(url, listed.clone()).0.unwrap().url(), shown);
    }
    for url in ["http://:secret@127.0.0.1", ":secret", ""] {
        let Err(error) = open(url, Guard::default()).0 else { panic!("{url}") };
        assert!(matches!(error, ServerError::NoAddress { .. }), "{url}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
