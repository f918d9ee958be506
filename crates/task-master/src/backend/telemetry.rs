//! What a command's answers cost, in the words of the program that this one replaces.
//!
//! It is called telemetry there; here it is part of a result and sent nowhere.

use serde_json::{Value, json};
use tm_llm::failover::Spent;
use tm_tasks::timestamp::{Timestamp, iso_millis};

/// Who every user is: the number that the original writes for people without an account.
const USER_ID: &str = "1234567890";

/// `telemetryData` of a result; null when no model answered.
pub fn data(command: &str, now: Timestamp, spent: &[Spent]) -> Value {
    let Some(first) = spent.first() else { return Value::Null };
    let input: u64 = spent.iter().map(|it| u64::from(it.usage.prompt_tokens)).sum();
    let output: u64 = spent.iter().map(|it| u64::from(it.usage.completion_tokens)).sum();
    let mixed = |of: fn(&Spent) -> &str| {
        let same = spent.iter().all(|it| of(it) == of(first));
        if same { of(first).to_owned() } else { "Multiple".to_owned() }
    };
    json!({
        "timestamp": iso_millis(now),
        "userId": USER_ID,
        "commandName": command,
        "modelUsed": mixed(|it| &it.model),
        "providerName": mixed(|it| &it.provider),
        "inputTokens": input,
        "outputTokens": output,
        "totalTokens": input + output,
        "totalCost": 0,
        "currency": "USD",
        // What a server on somebody's own machine costs, nobody told us.
        "isUnknownCost": spent.iter().any(|it| it.provider != super::EMBEDDED),
    })
}

#[cfg(test)]
mod tests;
