//! A server that does what Qdrant does with vectors, as far as we ask it.
//!
//! Points are kept in memory and all are looked at. Format:
//! <https://api.qdrant.tech/api-reference>.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::server::{Answer, Received, ScriptedServer};

/// The vectors of one collection, by the numbers of their points.
type Points = BTreeMap<i64, Vec<f64>>;

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
    if (method, what) == ("PUT", "") {
        collections.entry(name.to_owned()).or_default();
        return Some(json!(true));
    }
    let points = collections.get_mut(name)?;
    let body = &asked.body;
    match (method, what) {
        ("GET", "") => Some(json!({"status": "green"})),
        ("PUT", "points") => {
            for point in body["points"].as_array()? {
                let vector = point["vector"].as_array()?.iter().filter_map(Value::as_f64);
                points.insert(point["id"].as_i64()?, vector.collect());
            }
            Some(json!({"status": "completed"}))
        }
        ("POST", "points/delete") => {
            for gone in body["points"].as_array()? {
                points.remove(&gone.as_i64()?);
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
fn page(points: &Points, body: &Value) -> Value {
    let limit = body["limit"].as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or(10);
    let from = body["offset"].as_i64().unwrap_or(i64::MIN);
    let ids: Vec<i64> =
        points.range(from..).map(|(id, _)| *id).take(limit.saturating_add(1)).collect();
    let (page, next) = ids.split_at_checked(limit).unwrap_or((&ids, &[]));
    let page: Vec<Value> = page.iter().map(|it| json!({"id": it})).collect();
    json!({"points": page, "next_page_offset": next.first()})
}

fn nearest(points: &Points, body: &Value) -> Vec<Value> {
    let numbers = |it: &Value| -> Vec<f64> {
        it.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
    };
    let (asked, among) = (numbers(&body["query"]), body.pointer("/filter/must/0/has_id"));
    let is_among = |id: i64| {
        let list = among.and_then(Value::as_array);
        list.is_none_or(|list| list.iter().any(|it| it.as_i64() == Some(id)))
    };
    let product = |vector: &[f64]| vector.iter().zip(&asked).map(|(it, other)| it * other).sum();
    let mut scored: Vec<(i64, f64)> = points
        .iter()
        .filter(|(id, _)| is_among(**id))
        .map(|(id, vector)| (*id, product(vector)))
        .collect();
    scored.sort_by(|it, other| other.1.total_cmp(&it.1));
    let limit = body["limit"].as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or(10);
    let best = scored.into_iter().take(limit);
    best.map(|(id, score)| json!({"id": id, "score": score})).collect()
}
