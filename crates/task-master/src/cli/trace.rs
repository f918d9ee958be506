//! `trace`: what became of requests to models.

use serde::Serialize;

use crate::{
    app::App,
    report::{
        Report, advice,
        table::Table,
        text::{BOLD, DIM, GREEN, RED, Text, YELLOW},
    },
    trace::{Asked, Ending, Failure, Log, Past, Record},
};

/// Show what became of requests to models: who asked, who answered, and how long it took
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A request, to see all of it: what `x-request-id` said, or the beginning of it
    id: Option<String>,

    /// How many of the newest to list
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    limit: usize,

    /// List only what was not answered
    #[arg(long)]
    failed: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    requests: Vec<&'a Record>,
    /// How many are kept.
    kept: usize,
    /// Requests without a record, because the disk was too slow.
    lost: u64,
    unreadable: usize,
}

/// Runs `trace`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let state_dir = &app.environment.state_dir;
    let past = Log::read(state_dir).map_err(|error| {
        let message = format!("the traces in {} cannot be read", state_dir.display());
        anyhow::Error::new(error).context(advice(message, "see who owns them, or delete them"))
    })?;
    match &args.id {
        Some(id) => show(find(&past, id)?, args, report),
        None => list(&past, args, report),
    }
    Ok(())
}

/// The one that an id means; ids of answers, such as `chatcmpl-…`, have that of the request in
/// them.
fn find<'a>(past: &'a Past, id: &str) -> anyhow::Result<&'a Record> {
    if let Some(record) = past.records.iter().find(|it| id.ends_with(&it.id)) {
        return Ok(record);
    }
    let mut found = past.records.iter().filter(|it| it.id.starts_with(id));
    let hint = "see which there are with `task-master trace`; the oldest make room for new ones";
    match (found.next(), found.next()) {
        (Some(record), None) => Ok(record),
        (Some(_), Some(_)) => {
            Err(advice(format!("several requests begin with {id}"), "name more of it").into())
        }
        (None, _) => Err(advice(format!("there is no trace of a request {id}"), hint).into()),
    }
}

fn list(past: &Past, args: &Args, report: &mut Report) {
    let wanted = |it: &&Record| !args.failed || it.ending != Ending::Answered;
    let requests: Vec<&Record> = past.records.iter().filter(wanted).take(args.limit).collect();
    let Past { records, lost, unreadable } = past;
    if args.json {
        let (lost, unreadable) = (*lost, *unreadable);
        report.json(&Listed { requests, kept: records.len(), lost, unreadable });
        return;
    }
    if *lost > 0 {
        report.warn(&format!("{lost} requests left no trace: the disk was too slow"));
    }
    if *unreadable > 0 {
        report.warn(&format!("{unreadable} lines of the trace cannot be read"));
    }
    if requests.is_empty() {
        report.line("No model was asked yet, as far as is known here.");
        return;
    }
    let titles = ["Id", "Time", "By", "Answered by", "", "First", "Took", "Read", "Written"];
    let mut table = Table::new(&titles, "Answered by");
    for it in requests {
        table.push(row(it));
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
}

fn row(record: &Record) -> Vec<Text> {
    let by = format!("{} {}", record.via.as_str(), record.by);
    let first = record.first_token_s.map(seconds).unwrap_or_default();
    vec![
        Text::styled(BOLD, record.id.get(..8).unwrap_or(&record.id)),
        Text::styled(DIM, record.time.get(..19).unwrap_or(&record.time)),
        by.as_str().into(),
        who(record).as_str().into(),
        ending(record.ending),
        first.as_str().into(),
        seconds(record.took_s).as_str().into(),
        record.prompt_tokens.to_string().as_str().into(),
        record.completion_tokens.to_string().as_str().into(),
    ]
}

/// Who answered, and how many others were asked.
fn who(record: &Record) -> String {
    let others = record.attempts.len().saturating_sub(1);
    let last = || Some(record.attempts.last()?.backend.clone());
    let who = record.backend.clone().or_else(last).unwrap_or_else(|| "nobody".to_owned());
    let kept = if record.cache.as_deref() == Some("hit") { " (kept)" } else { "" };
    let others = if others > 0 { format!(" +{others}") } else { String::new() };
    format!("{who}{kept}{others}")
}

fn show(record: &Record, args: &Args, report: &mut Report) {
    if args.json {
        report.json(record);
        return;
    }
    report
        .line(Text::styled(BOLD, &record.id).and_text("  ".into()).and_text(ending(record.ending)));
    for (name, value) in facts(record) {
        report.line(Text::styled(DIM, &format!("  {name:<12} ")).and_text(value.as_str().into()));
    }
    if record.attempts.is_empty() {
        return;
    }
    report.blank();
    let titles = ["After", "Asked", "", "Waited", "First", "Took", "Read", "Written", "Why"];
    let mut table = Table::new(&titles, "Why");
    for it in &record.attempts {
        table.push(attempt(it));
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
}

fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let by = format!("{} {}", record.via.as_str(), record.by);
    let project = record.project.as_ref().map(|it| it.display().to_string());
    let status = record.status.map(|it| it.to_string());
    let kept = |it: &String| {
        if it == "hit" { "hit: the answer had been kept".to_owned() } else { it.clone() }
    };
    let tokens = format!(
        "{} read, of which {} were held already; {} written",
        record.prompt_tokens, record.cached_tokens, record.completion_tokens
    );
    let answered = record.backend.as_ref().map(|it| match &record.provider {
        Some(provider) => format!("{it} ({provider})"),
        None => it.clone(),
    });
    let facts = [
        ("asked at", Some(record.time.clone())),
        ("asked by", Some(by)),
        ("project", project),
        ("role", record.role.clone()),
        ("model asked", record.asked_for.clone()),
        ("answered by", answered),
        ("cache", record.cache.as_ref().map(kept)),
        ("status", status),
        ("because", record.error.as_ref().map(why)),
        ("waited", Some(seconds(record.queued_s))),
        ("first token", record.first_token_s.map(seconds)),
        ("took", Some(seconds(record.took_s))),
        ("tokens", Some(tokens)),
        ("finish", record.finish.clone()),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn attempt(asked: &Asked) -> Vec<Text> {
    let why = asked.error.as_ref().map(why).unwrap_or_default();
    vec![
        seconds(asked.after_s).as_str().into(),
        asked.backend.as_str().into(),
        ending(asked.ending),
        seconds(asked.queued_s).as_str().into(),
        asked.first_token_s.map(seconds).unwrap_or_default().as_str().into(),
        seconds(asked.took_s).as_str().into(),
        asked.prompt_tokens.to_string().as_str().into(),
        asked.completion_tokens.to_string().as_str().into(),
        Text::styled(DIM, &why),
    ]
}

fn why(failure: &Failure) -> String {
    failure.why.clone().unwrap_or_else(|| failure.kind.clone())
}

fn ending(ending: Ending) -> Text {
    let style = match ending {
        Ending::Answered => GREEN,
        Ending::Failed => RED,
        Ending::Abandoned => YELLOW,
    };
    Text::styled(style, ending.as_str())
}

fn seconds(seconds: f64) -> String {
    // The sum of no numbers is less than nothing.
    let seconds = seconds + 0.0;
    if seconds < 10.0 { format!("{seconds:.3} s") } else { format!("{seconds:.1} s") }
}
