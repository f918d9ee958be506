//! Two documents and good plans of them, written for tests.

use serde_json::{Value, json};
use tm_tasks::{document::TaskFile, prd::Prd, task::Task};

use super::Pair;

pub(super) const NOTES: &str = "\
# Pencil
## Storage
- notes are kept in one SQLite file with WAL
- a note has a title, a body and tags
## Search
- find notes by word with FTS5 within 50 ms
- the word that was found is highlighted
## Sync
- two machines hold the same notes over WebDAV
- conflicts keep both versions
## Export
- write one Markdown file for each note
";

pub(super) const GREENHOUSE: &str = "\
# Greenhouse
## Sensors
- read temperature and humidity from a DHT22 every 60 s
- report a broken sensor by MQTT
## Watering
- open the valve when soil moisture falls below 30 %
- never water for longer than 10 minutes
## Dashboard
- draw the last 24 hours as a chart with Grafana
- raise an alarm above 38 degrees
";

/// Tasks of `(title, description, details, test strategy, dependencies)`, with ids from 1.
pub(super) fn tasks(told: &[(&str, &str, &str, &str, &[u64])]) -> Vec<Task> {
    let task = |(index, it): (usize, &(&str, &str, &str, &str, &[u64]))| {
        json!({
            "id": index + 1, "title": it.0, "description": it.1, "details": it.2,
            "testStrategy": it.3, "dependencies": it.4, "priority": "medium", "status": "pending",
        })
    };
    read(&told.iter().enumerate().map(task).collect())
}

pub(super) fn read(tasks: &Value) -> Vec<Task> {
    let file = TaskFile::parse(json!({"master": {"tasks": tasks}}).to_string()).unwrap();
    file.tag("master").unwrap().tasks().to_vec()
}

pub(super) fn pair(name: &str, document: &str, baseline: Vec<Task>) -> Pair {
    Pair {
        name: name.to_owned(),
        document: document.to_owned(),
        prd: Prd::read(document).unwrap(),
        baseline,
        model: None,
        document_language: None,
        plan_language: None,
    }
}

pub(super) fn notes() -> Pair {
    pair(
        "notes",
        NOTES,
        tasks(&[
            (
                "Store notes in SQLite",
                "Keep notes with title, body and tags in one SQLite file.",
                "Open the SQLite file with WAL. Create tables for notes and tags. Write a note with its title, body and tags in one transaction, and read it back by its number.",
                "Write a note, open the file again and check that title, body and tags are the same.",
                &[],
            ),
            (
                "Find notes by word",
                "Search notes with FTS5 and highlight the word that was found.",
                "Keep an FTS5 index beside the notes table and update it by triggers. Rank by bm25, wrap the found word in a mark, and answer a search within 50 ms for ten thousand notes.",
                "Search for a word in ten thousand notes and verify that the note is shown within 50 ms.",
                &[1],
            ),
            (
                "Synchronise two machines over WebDAV",
                "Hold the same notes on two machines; conflicts keep both versions.",
                "Upload changed notes with their revision to WebDAV and download those of the other machine. Where both machines changed a note, conflicts keep both versions side by side.",
                "Change one note on both machines, synchronise, and check that both versions are there.",
                &[1],
            ),
            (
                "Export notes as Markdown",
                "Write one Markdown file for each note.",
                "Name the Markdown file after the title of the note, put tags into the front matter, and write the body below. Existing files are replaced only when the note changed.",
                "Export three notes and compare the Markdown files with what was written.",
                &[1],
            ),
        ]),
    )
}

pub(super) fn greenhouse() -> Pair {
    pair(
        "greenhouse",
        GREENHOUSE,
        tasks(&[
            (
                "Read the DHT22 sensor",
                "Read temperature and humidity every 60 s and report a broken sensor by MQTT.",
                "Poll the DHT22 every 60 s over GPIO, discard values with a wrong checksum, publish temperature and humidity by MQTT, and report the sensor as broken after five failures.",
                "Unplug the sensor and check that MQTT reports it as broken within five minutes.",
                &[],
            ),
            (
                "Water by soil moisture",
                "Open the valve below 30 % soil moisture, for 10 minutes at most.",
                "Switch the relay of the valve when soil moisture falls below 30 %, close it above 45 %, and let a hardware timer close the valve after 10 minutes whatever the program does.",
                "Hold the moisture at 20 % and measure that the valve closes after 10 minutes.",
                &[1],
            ),
            (
                "Chart the last 24 hours",
                "Draw temperature and humidity as a Grafana chart with an alarm above 38 degrees.",
                "Store published values in a time series, provision a Grafana panel for the last 24 hours, and configure an alarm rule that sends a message above 38 degrees.",
                "Publish 39 degrees and see that the alarm is raised in the Grafana chart.",
                &[1],
            ),
        ]),
    )
}
