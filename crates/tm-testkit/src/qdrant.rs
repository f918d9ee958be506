//! A server that does what Qdrant does with vectors, as far as we ask it.
//!
//! Points are kept in memory and all are looked at. Format:
//! <https://api.qdrant.tech/api-reference>.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use crate::server::{Answer, Received, ScriptedServer};

/// One collection.
#[derive(Default)]
struct Points {
    size: u64,
    /// The vectors and what is noted with them, by the numbers of the points.
    points: BTreeMap<u64, (Vec<f64>, Value)>,
}

/// Starts one without collections. It wants this key, when there is one.
pub fn start(key: Option<&'static str>) -> ScriptedServer {
    let mut collections: HashMap<String, Points> = HashMap::new();
    ScriptedServer::start(move |asked| {
        if key.is_some() && asked.headers.get("api-key").map(String::as_str) != key {
            return Answer::json(403, &json!({"status": {"error": "Forbidden"}}));
        }
        match answer(&mut collections, asked) {
            Some(result) => Answer::json(200, &json!({"result": result, "status": "ok"})),
            None => Answer::json(404, &json!({"status": {"error": "Not found"}})),
        }
    })
}

fn answer(collections: &mut HashMap<String, Points>, asked: &Received) -> Option<Value> {
    let (method, path) = asked.line.split_once(' ')?;
    let path = path.split('?').next()?;
    let rest = path.strip_prefix("/collections/")?;
    let (name, what) = rest.split_once('/').unwrap_or((rest, ""));
    match (method, what) {
        ("PUT", "") => {
            let size = asked.body.pointer("/vectors/size")?.as_u64()?;
            collections.insert(name.to_owned(), Points { size, ..Points::default() });
            return Some(json!(true));
        }
        ("DELETE", "") => return Some(json!(collections.remove(name).is_some())),
        _ => {}
    }
    let Points { size, points } = collections.get_mut(name)?;
    let body = &asked.body;
    match (method, what) {
        ("GET", "") => Some(json!({"config": {"params": {"vectors": {"size": size}}}})),
        ("PUT", "points") => {
            for point in body["points"].as_array()? {
                let vector = point["vector"].as_array()?.iter().filter_map(Value::as_f64);
                let vector: Vec<f64> = vector.collect();
                if u64::try_from(vector.len()) != Ok(*size) {
                    return None;
                }
                points.insert(point["id"].as_u64()?, (vector, point["payload"].clone()));
            }
            Some(json!({"status": "completed"}))
        }
        ("POST", "points") => {
            let ids = body["ids"].as_array()?.iter().filter_map(Value::as_u64);
            let found = ids.filter_map(|id| Some(json!({"id": id, "payload": points.get(&id)?.1})));
            Some(found.collect())
        }
        ("POST", "points/delete") => {
            for gone in body["points"].as_array()? {
                points.remove(&gone.as_u64()?);
            }
            Some(json!({"status": "completed"}))
        }
        ("POST", "points/count") => Some(json!({"count": points.len()})),
        ("POST", "points/scroll") => Some(page(points, body)),
        ("POST", "points/query") => Some(json!({"points": nearest(points, body)})),
        _ => None,
    }
}

/// Points from the one that is named on.
fn page(points: &BTreeMap<u64, (Vec<f64>, Value)>, body: &Value) -> Value {
    let limit = whole(&body["limit"]);
    let from = body["offset"].as_u64().unwrap_or_default();
    let ids: Vec<u64> =
        points.range(from..).map(|it| *it.0).take(limit.saturating_add(1)).collect();
    let (page, next) = ids.split_at_checked(limit).unwrap_or((&ids, &[]));
    let page: Vec<Value> = page.iter().map(|it| json!({"id": it})).collect();
    json!({"points": page, "next_page_offset": next.first()})
}

fn nearest(points: &BTreeMap<u64, (Vec<f64>, Value)>, body: &Value) -> Vec<Value> {
    let listed = |pointer: &str| -> Option<HashSet<u64>> {
        let ids = body.pointer(pointer)?.as_array()?;
        Some(ids.iter().filter_map(Value::as_u64).collect())
    };
    let (among, without) =
        (listed("/filter/must/0/has_id"), listed("/filter/must_not/0/has_id").unwrap_or_default());
    let asked = body["query"].as_array().into_iter().flatten().filter_map(Value::as_f64);
    let asked: Vec<f64> = asked.collect();
    let product = |vector: &[f64]| vector.iter().zip(&asked).map(|(it, other)| it * other).sum();
    let mut scored: Vec<(u64, f64, &Value)> = points
        .iter()
        .filter(|(id, _)| among.as_ref().is_none_or(|it| it.contains(id)) && !without.contains(id))
        .map(|(id, (vector, payload))| (*id, product(vector), payload))
        .collect();
    scored.sort_by(|it, other| other.1.total_cmp(&it.1));
    let best = scored.into_iter().take(whole(&body["limit"]));
    best.map(|(id, score, payload)| json!({"id": id, "score": score, "payload": payload})).collect()
}

fn whole(number: &Value) -> usize {
    number.as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or(10)
}
