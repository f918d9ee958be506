//! Plans: made of requirement documents, one task at a time, and changed by what people say.
//!
//! Each operation is a module with one or two functions. [`change`] is what those share that
//! change tasks which are there.

use serde_json::{Value, json};
use tm_tasks::id::TaskId;

pub mod add_task;
pub mod change;
pub mod complexity;
pub mod expand;
#[cfg(test)]
mod fixture;
mod kept;
pub mod parse_prd;
mod rewriting;
mod said;
pub mod scope;
pub mod split_prd;
pub mod update_subtask;
pub mod update_task;
pub mod update_tasks;

/// An id as a model writes it.
fn task_id(value: &Value) -> Option<TaskId> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.trim().trim_start_matches('#').parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number_or_text(id: &TaskId) -> Value {
    id.number().map_or_else(|| json!(id.to_string()), |it| json!(it))
}

/// The schema of an id that is one of these. Some servers want to know the type, too.
fn one_of(ids: &[Value]) -> Value {
    match ids.first() {
        Some(Value::Number(_)) if ids.iter().all(Value::is_number) => {
            json!({"type": "integer", "enum": ids})
        }
        Some(_) if ids.iter().all(Value::is_string) => json!({"type": "string", "enum": ids}),
        _ => json!({ "enum": ids }),
    }
}
