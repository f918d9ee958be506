//! `privacy`: the proof that nothing leaves this machine, or what does.
//!
//! Looks at the configuration, the environment and the audit log; connects to nothing.

use std::{collections::BTreeSet, path::PathBuf};

use serde::Serialize;

use crate::{
    app::{App, Workspace},
    backend::{
        self,
        audit::{self, Audit, Entry, Event},
        endpoints::{Endpoint, reach},
    },
    report::{
        Report, advice,
        table::Table,
        text::{BOLD, DIM, GREEN, Text, YELLOW},
    },
    trace,
};

/// Show what may leave this machine, what has, and where everything is kept
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How many entries of the log are shown.
const NEWEST: usize = 5;

#[derive(Debug, Serialize)]
struct Privacy {
    /// `local-only`, `hybrid` or `external`.
    mode: &'static str,
    /// Where requests may go in every mode.
    local: Vec<String>,
    endpoints: Vec<Endpoint>,
    audit: Log,
    /// The variables with keys that are set; not what they hold.
    keys: Vec<&'static str>,
    data: Vec<Place>,
}

/// What the audit log holds.
#[derive(Debug, Serialize)]
struct Log {
    file: PathBuf,
    /// Requests that were sent to providers on the Internet.
    sent: usize,
    /// Requests and connections that were kept from leaving.
    blocked: usize,
    /// Models that were fetched.
    downloads: usize,
    unreadable: usize,
    newest: Vec<Entry>,
}

/// Something on the disk.
#[derive(Debug, Serialize)]
struct Place {
    what: &'static str,
    path: PathBuf,
    is_there: bool,
}

/// Runs `privacy`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let privacy = look(&workspace)?;
    if args.json {
        report.json(&privacy);
    } else {
        show(&privacy, report);
    }
    Ok(())
}

fn look(workspace: &Workspace) -> anyhow::Result<Privacy> {
    let reach = reach(&workspace.config, &workspace.environment)?;
    let loopback = ["localhost", "127.0.0.0/8", "::1"].map(str::to_owned);
    let guard = backend::guard(workspace);
    Ok(Privacy {
        mode: reach.mode,
        local: loopback.into_iter().chain(guard.hosts().map(str::to_owned)).collect(),
        endpoints: reach.endpoints,
        audit: log(workspace)?,
        keys: keys(workspace),
        data: places(workspace),
    })
}

fn log(workspace: &Workspace) -> anyhow::Result<Log> {
    let file = audit::file(&workspace.environment.state_dir);
    let past = Audit::read(&workspace.environment.state_dir).map_err(|error| {
        let message = format!("the audit log {} cannot be read", file.display());
        anyhow::Error::new(error).context(advice(message, "see who owns it"))
    })?;
    let count = |event| past.entries.iter().filter(|it| it.event == event).count();
    Ok(Log {
        sent: count(Event::Sent),
        blocked: count(Event::Blocked),
        downloads: count(Event::Download),
        unreadable: past.unreadable,
        newest: past.entries.into_iter().take(NEWEST).collect(),
        file,
    })
}

fn keys(workspace: &Workspace) -> Vec<&'static str> {
    let names: BTreeSet<&'static str> =
        tm_llm::provider::PROVIDERS.iter().map(|it| it.key_variable).collect();
    let is_set = |it: &&str| workspace.environment.variable(it).is_some();
    names.into_iter().filter(is_set).collect()
}

fn places(workspace: &Workspace) -> Vec<Place> {
    let Workspace { environment, project, .. } = workspace;
    let state = &environment.state_dir;
    let places = [
        ("tasks, settings and documents of the project", project.directory()),
        ("keys of the project", project.env_file()),
        ("models", environment.models_dir()),
        ("digests of the keys of clients", environment.keys_dir()),
        ("answers that are given again", environment.answers_dir()),
        ("prompts that were read", environment.prefixes_dir()),
        ("what `undo` needs", state.join("journal")),
        ("traces of requests", trace::path(state)),
        ("the audit log", audit::file(state)),
    ];
    let place = |(what, path): (_, PathBuf)| Place { what, is_there: path.exists(), path };
    places.into_iter().map(place).collect()
}

fn show(privacy: &Privacy, report: &mut Report) {
    let told = match privacy.mode {
        "local-only" => "nothing is sent to another machine, but to hosts that you list",
        "hybrid" => "local models first; then providers whose key is set",
        _ => "the providers of the configuration are asked, where their key is set",
    };
    heading("Mode", &format!("{}: {told}", privacy.mode), report);
    heading("Local", &privacy.local.join(", "), report);
    let keys = if privacy.keys.is_empty() { "none".to_owned() } else { privacy.keys.join(", ") };
    heading("Keys set", &keys, report);
    let Log { sent, blocked, downloads, .. } = privacy.audit;
    let counts = format!("{sent} sent, {blocked} blocked, {downloads} downloads of models");
    heading("Requests to other machines", &counts, report);
    if privacy.audit.unreadable > 0 {
        report.warn(&format!("{} lines of the log cannot be read", privacy.audit.unreadable));
    }
    let columns = report.columns();
    if !privacy.audit.newest.is_empty() {
        report.blank();
        report.lines(newest(&privacy.audit.newest).lines(columns));
    }
    if !privacy.endpoints.is_empty() {
        report.blank();
        report.lines(endpoints(&privacy.endpoints).lines(columns));
    }
    report.blank();
    report.lines(data(&privacy.data).lines(columns));
    report.blank();
    report.line(Text::styled(
        DIM,
        "`start` and `loop` run programs of other makers, which connect as they like.",
    ));
}

fn heading(name: &str, value: &str, report: &mut Report) {
    report.line(Text::styled(BOLD, &format!("{name}: ")).and_text(value.into()));
}

fn newest(entries: &[Entry]) -> Table {
    let mut table = Table::new(&["Time", "", "To", "Model"], "To");
    for it in entries {
        let event = match it.event {
            Event::Sent => Text::styled(YELLOW, "sent"),
            Event::Blocked => Text::styled(GREEN, "blocked"),
            Event::Download => "download".into(),
        };
        let model = it.model.as_deref().unwrap_or_default();
        table.push(vec![
            Text::styled(DIM, it.time.get(..19).unwrap_or(&it.time)),
            event,
            it.url.as_str().into(),
            model.into(),
        ]);
    }
    table
}

fn endpoints(endpoints: &[Endpoint]) -> Table {
    let mut table = Table::new(&["Role", "Model", "Address", "Asked", "Why"], "Why");
    for it in endpoints {
        let asked = match (it.may_be_asked, it.is_local) {
            (true, true) => Text::styled(GREEN, "yes"),
            (true, false) => Text::styled(YELLOW, "yes"),
            (false, _) => "no".into(),
        };
        table.push(vec![
            it.role.into(),
            format!("{}/{}", it.provider, it.model).trim_end_matches('/').into(),
            it.url.as_deref().unwrap_or_default().into(),
            asked,
            Text::styled(DIM, it.why),
        ]);
    }
    table
}

fn data(places: &[Place]) -> Table {
    let mut table = Table::new(&["On this disk", "Where"], "Where");
    for it in places {
        let path = it.path.display().to_string();
        let path = if it.is_there { path } else { format!("{path} (not there)") };
        table.push(vec![it.what.into(), path.as_str().into()]);
    }
    table
}
