//! `backends`: the model servers that run on this machine, how a project uses one, and which of
//! their models are in memory.

use futures_util::future::join_all;
use serde::Serialize;
use tm_llm::{
    discover::{Found, USUAL_PLACES, look, root},
    loading::{self, LoadError, Wish},
};

use super::Format;
use crate::{
    app::App,
    backend,
    report::{
        Report, advice,
        table::Table,
        text::{BOLD, DIM, GREEN, Text},
    },
};

/// Find model servers that run on this machine, and load or unload their models
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    change: Option<Change>,

    /// How to print them
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    /// Print JSON; the same as `--format json`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Change {
    /// Have a server load a model, so that the first question need not wait for that
    Load(Which),
    /// Have a server give back the memory of a model
    Unload(Which),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The model, as `task-master backends` lists it
    model: String,

    /// Where the server is, when several have it or it was not found
    #[arg(long, value_name = "URL")]
    at: Option<String>,
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
    if let Some(
        Change::Load(Which { at: Some(at), .. }) | Change::Unload(Which { at: Some(at), .. }),
    ) = &args.change
    {
        places = vec![root(at).to_owned()];
    }
    let client = backend::guard(&workspace).client()?;
    let wish = match &args.change {
        None => None,
        Some(Change::Load(which)) => Some((which, Wish::Loaded)),
        Some(Change::Unload(which)) => Some((which, Wish::Unloaded)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(join_all(places.iter().map(|it| look(it, &client))));
    let backends: Vec<Found> = found.into_iter().flatten().collect();
    if let Some((which, wish)) = wish {
        let server = having(&backends, which)?;
        let changing = loading::change(server, &which.model, wish, &client);
        runtime.block_on(changing).map_err(|error| explain(error, server))?;
        let done = if wish == Wish::Loaded { "has loaded" } else { "has unloaded" };
        let line = format!("{} at {} {done} {}", server.kind, server.base_url, which.model);
        report.done(line.as_str());
        return Ok(());
    }
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

/// The server that is meant.
fn having<'a>(backends: &'a [Found], which: &Which) -> anyhow::Result<&'a Found> {
    let model = &which.model;
    let has_it = |it: &&Found| it.models.iter().any(|it| it.id == *model);
    let having: Vec<&Found> = backends.iter().filter(has_it).collect();
    match having[..] {
        [server] => Ok(server),
        [] => Err(advice(
            format!("no server that was found has a model {model}"),
            "see which models there are with `task-master backends`",
        )
        .into()),
        [_, _, ..] => {
            let urls: Vec<&str> = having.iter().map(|it| it.base_url.as_str()).collect();
            let message = format!("several servers have a model {model}: {}", urls.join(", "));
            Err(advice(message, "name one of them with --at URL").into())
        }
    }
}

fn explain(error: LoadError, server: &Found) -> anyhow::Error {
    let hint = match &error {
        LoadError::Fixed { .. } => "it decides itself: see its own settings",
        LoadError::NoModel { .. } => "see which models there are with `task-master backends`",
        LoadError::Nameless { .. } => "unload it in the server itself",
        LoadError::Failed { .. } | LoadError::Refused { .. } => "its own log says more",
        LoadError::Unreachable { .. } => "see whether it still runs with `task-master backends`",
        LoadError::Late { .. } => "it may still be at it: look with `task-master backends`",
    };
    let message = format!("nothing is known to have changed at {}", server.base_url);
    anyhow::Error::new(error).context(advice(message, hint))
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
