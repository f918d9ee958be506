//! `backends`: the model servers that run on this machine, and how a project uses one.

use futures_util::future::join_all;
use serde::Serialize;
use tm_llm::discover::{Found, USUAL_PLACES, look};

use super::Format;
use crate::{
    app::App,
    backend,
    report::{
        Report,
        table::Table,
        text::{BOLD, DIM, GREEN, Text},
    },
};

/// Find model servers that run on this machine
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How to print them
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Backends {
    backends: Vec<Found>,
}

/// Runs `backends`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let mut places = backend::places(&workspace)?;
    places.extend(USUAL_PLACES.map(str::to_owned));
    let mut seen = Vec::new();
    places.retain(|it| {
        let is_new = !seen.contains(it);
        seen.push(it.clone());
        is_new
    });
    let client = backend::guard(&workspace).client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(join_all(places.iter().map(|it| look(it, &client))));
    let backends: Vec<Found> = found.into_iter().flatten().collect();
    if args.json || args.format == Format::Json {
        report.json(&Backends { backends });
        return Ok(());
    }
    if backends.is_empty() {
        report.line("No model server was found. None is needed: models can run in this program.");
        report.blank();
        report.suggest("task-master models list", "models for this machine");
        return Ok(());
    }
    let columns = report.columns();
    report.lines(table(&backends).lines(columns));
    report.blank();
    report.line("To use one, give a role in .taskmaster/config.json its provider, model and URL:");
    let model = backends.iter().find_map(|it| Some((it, it.models.first()?)));
    if let Some((server, model)) = model {
        report.line(Text::styled(
            DIM,
            &format!(
                "  \"main\": {{\"provider\": {:?}, \"modelId\": {:?}, \"baseURL\": {:?}}}",
                server.provider, model.id, server.base_url
            ),
        ));
    }
    Ok(())
}

fn table(backends: &[Found]) -> Table {
    let mut table = Table::new(&["Server", "URL", "Model", "Context", "State"], "Model");
    for server in backends {
        let head = |model: Text, context: Text, state: Text| {
            let kind = Text::styled(BOLD, server.kind);
            vec![kind, server.base_url.as_str().into(), model, context, state]
        };
        if server.models.is_empty() {
            table.push(head(Text::styled(DIM, "no model"), "".into(), "".into()));
        }
        for model in &server.models {
            let context = model.context_tokens.map(|it| it.to_string()).unwrap_or_default();
            let state = match model.is_loaded {
                Some(true) => Text::styled(GREEN, "loaded"),
                Some(false) | None => "".into(),
            };
            table.push(head(model.id.as_str().into(), context.as_str().into(), state));
        }
    }
    table
}
