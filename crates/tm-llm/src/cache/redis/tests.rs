use std::sync::Arc;

use serde_json::json;
use tm_testkit::redis::RedisServer;

use super::*;
use crate::{egress::guard::Guard, fleet::server::Address};

#[tokio::test]
async fn redis_itself_forgets_what_is_too_old() {
    let Some(redis) = RedisServer::start() else { return };
    let (url, guard, on_blocked) = (&redis.url(), Guard::default(), Arc::new(|_: &str| ()));
    let address = Address { url, guard, on_blocked, certificates: &[] };
    let store = RedisStore::new(Server::open(address, Arc::new(|_| ())).unwrap());
    let key = Key::of(&json!("a")).unwrap();
    let made = Made { answer: &json!(1), by: "script" };
    store.put(&key, made, Duration::from_hours(1)).await.unwrap();
    let reply = redis.reply(&format!("TTL {}", name(&key))).unwrap();
    assert!(reply.starts_with(":3600") || reply.starts_with(":3599"), "{reply}");
}
