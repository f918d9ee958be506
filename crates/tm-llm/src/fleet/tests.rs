use std::sync::Arc;

use tm_testkit::redis::RedisServer;

use super::{
    server::{Address, Server},
    *,
};
use crate::egress::guard::Guard;

/// One of those who share a server.
fn member(url: &str) -> Fleet {
    let (guard, on_blocked) = (Guard::default(), Arc::new(|_: &str| ()));
    let address = Address { url, guard, on_blocked, certificates: &[] };
    Fleet::new(Server::open(address, Arc::new(|_| ())).unwrap())
}

fn edition(revision: u64, digest: &str) -> Edition {
    Edition { revision, digest: digest.to_owned() }
}

#[tokio::test]
async fn a_key_is_used_so_often_wherever_it_is_used() {
    let Some(redis) = RedisServer::start() else { return };
    let (here, there) = (member(&redis.url()), member(&redis.url()));
    let rate = Rate::a_minute(3);
    for member in [&here, &there, &here] {
        assert_eq!(member.used("a", rate).await, Some(Duration::ZERO));
    }
    for member in [&here, &there] {
        let wait = member.used("a", rate).await.unwrap();
        assert!(wait > Duration::from_secs(15) && wait <= Duration::from_secs(20), "{wait:?}");
    }
    assert_eq!(there.used("b", rate).await, Some(Duration::ZERO), "another key has its own");
    let quick = Rate { each: Duration::from_millis(30), most: Duration::from_millis(30) };
    assert_eq!(here.used("c", quick).await, Some(Duration::ZERO));
    assert_ne!(there.used("c", quick).await, Some(Duration::ZERO));
    tokio::time::sleep(Duration::from_millis(31)).await;
    assert_eq!(there.used("c", quick).await, Some(Duration::ZERO));
}

#[tokio::test]
async fn who_rests_is_heard_of_until_the_rest_is_over_or_somebody_knows_better() {
    let Some(redis) = RedisServer::start() else { return };
    let (here, there) = (member(&redis.url()), member(&redis.url()));
    let names = ["a", "b", "c"].map(str::to_owned);
    let minute = Duration::from_mins(1);
    let rests = [("a".to_owned(), minute), ("b".to_owned(), Duration::from_millis(20))];
    here.tell(&rests, &[]).await.unwrap();
    let heard = there.rests(&names).await.unwrap();
    assert!(matches!(heard[..], [Some(a), Some(_), None] if a > minute / 2), "{heard:?}");
    tokio::time::sleep(Duration::from_millis(21)).await;
    there.tell(&[], &names[..1]).await.unwrap();
    assert_eq!(here.rests(&names).await.unwrap(), [None; 3]);
}

#[tokio::test]
async fn the_newest_edition_is_kept_and_of_two_alike_the_first() {
    let Some(redis) = RedisServer::start() else { return };
    let (here, there) = (member(&redis.url()), member(&redis.url()));
    assert_eq!(there.edition("d").await, Some(None));
    assert_eq!(here.keep("d", &edition(2, "x"), "two").await, Some(true));
    assert_eq!(there.keep("d", &edition(1, "y"), "one").await, Some(false));
    assert_eq!(there.keep("d", &edition(2, "z"), "another two").await, Some(false));
    assert_eq!(there.edition("d").await, Some(Some(edition(2, "x"))));
    assert_eq!(there.document("d").await.as_deref(), Some("two"));
    assert_eq!(there.keep("d", &edition(10, "w"), "ten").await, Some(true));
    assert_eq!(here.document("d").await.as_deref(), Some("ten"));
}

#[tokio::test]
async fn without_a_server_nobody_can_tell_anything() {
    let alone = member("redis://127.0.0.1:1");
    assert_eq!(alone.used("a", Rate::a_minute(1)).await, None);
    assert_eq!(alone.rests(&["a".to_owned()]).await, None);
    assert_eq!(alone.edition("d").await, None);
    assert_eq!(alone.keep("d", &edition(1, "x"), "one").await, None);
}
