//! Moments as they are written in task files.
//!
//! Asks nobody for the time: callers pass it in.

pub use jiff::Timestamp;

/// `2030-01-31T12:00:00.000Z`: UTC with milliseconds, as JavaScript's `toISOString` has it.
pub fn iso_millis(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
