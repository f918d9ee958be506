//! `models list`: what there is, what is installed, and what this machine has room for.

use serde::Serialize;
use tm_llm::catalogue::{
    Catalogue, Digest, Model, Role,
    store::{ModelStore, Presence},
};

use super::{Format, size};
use crate::{
    backend,
    report::{
        Report,
        table::Table,
        text::{BOLD, DIM, GREEN, RED, Text, YELLOW},
    },
};

/// List the models there are, and which of them are installed
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Show only what is on this machine
    #[arg(long)]
    local: bool,

    /// How to print the list
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    directory: String,
    /// None where the system does not tell.
    memory_mib: Option<u64>,
    models: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    id: &'a str,
    family: &'a str,
    parameters: &'a str,
    quantisation: &'a str,
    licence: &'a str,
    size_bytes: u64,
    context_tokens: u32,
    memory_mib: u64,
    memory_measured: bool,
    /// Whether it works in this machine's memory.
    fits: Option<bool>,
    roles: &'a [Role],
    is_default: bool,
    sha256: Option<Digest>,
    sources: Vec<String>,
    state: State,
    bytes_here: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    Partial,
    Installed,
    /// There, but not as it was when it was checked; the next use checks it.
    Changed,
}

/// Runs `models list`.
pub(super) fn run(args: &Args, catalogue: &Catalogue, store: &ModelStore, report: &mut Report) {
    let memory_mib = backend::memory_mib();
    let rows = catalogue.models().iter().map(|it| row(it, store.presence(it), memory_mib));
    let models: Vec<Row> = rows.filter(|it| !args.local || it.state != State::Absent).collect();
    let directory = store.directory().display().to_string();
    if args.json || args.format == Format::Json {
        report.json(&List { directory, memory_mib, models });
        return;
    }
    if models.is_empty() {
        report.line(format!("No models are installed in {directory}."));
    } else {
        let columns = report.columns();
        report.lines(table(&models).lines(columns));
    }
    report.blank();
    let default = catalogue.default_model();
    if let Some((model, why)) = default.filter(|_| !args.local) {
        report.line(Text::styled(BOLD, &model.id).and(DIM, &format!(" is the default: {why}")));
    }
    if let Some(memory_mib) = memory_mib {
        let here = format!("This machine has {} of memory.", size(memory_mib << 20));
        report.line(Text::styled(DIM, &here));
    }
    report.suggest("task-master models pull ID", "fetch a model");
}

fn row(model: &Model, presence: Presence, memory_mib: Option<u64>) -> Row<'_> {
    let (state, bytes_here) = match presence {
        Presence::Absent => (State::Absent, 0),
        Presence::Partial { bytes } => (State::Partial, bytes),
        Presence::Present { bytes } => (State::Installed, bytes),
        Presence::Changed { bytes } => (State::Changed, bytes),
    };
    Row {
        id: &model.id,
        family: &model.family,
        parameters: &model.parameters,
        quantisation: &model.quantisation,
        licence: &model.licence,
        size_bytes: model.size_bytes,
        context_tokens: model.context_tokens,
        memory_mib: model.memory_mib,
        memory_measured: model.memory_measured,
        fits: memory_mib.map(|it| model.fits(it)),
        roles: &model.roles,
        is_default: model.default_because.is_some(),
        sha256: model.sha256,
        sources: model.sources.iter().map(ToString::to_string).collect(),
        state,
        bytes_here,
    }
}

fn table(models: &[Row]) -> Table {
    let titles = ["Model", "State", "Size", "Memory", "Context", "Licence", "Good for"];
    let mut table = Table::new(&titles, "Good for");
    for row in models {
        let roles: Vec<String> = row.roles.iter().map(ToString::to_string).collect();
        let memory = size(row.memory_mib << 20);
        let memory = if row.memory_measured { memory } else { format!("~ {memory}") };
        let memory_style = if row.fits == Some(false) { RED } else { DIM };
        table.push(vec![
            Text::styled(if row.is_default { BOLD } else { DIM }, row.id),
            state(row),
            size(row.size_bytes).into(),
            Text::styled(memory_style, &memory),
            row.context_tokens.to_string().into(),
            row.licence.into(),
            roles.join(", ").into(),
        ]);
    }
    table
}

fn state(row: &Row) -> Text {
    match row.state {
        State::Installed => Text::styled(GREEN, "installed"),
        State::Changed => Text::styled(YELLOW, "unchecked"),
        State::Partial => Text::styled(YELLOW, &format!("{} here", size(row.bytes_here))),
        State::Absent if row.fits == Some(false) => Text::styled(RED, "too large"),
        State::Absent if row.sha256.is_none() => Text::styled(DIM, "needs --sha256"),
        State::Absent => Text::styled(DIM, "-"),
    }
}
