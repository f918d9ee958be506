//! `route`: who would answer, and why.
//!
//! Everybody who may be asked is tried, so that what is told is what would happen now. Nothing is
//! asked of any model.

use serde::Serialize;
use tm_llm::{backend::BackendError, backend::ModelInfo, failover::SeatReport};
use tm_tasks::config::Role;

use crate::{
    app::{App, Workspace},
    backend::{self, names::KnownName},
    report::{
        Report,
        table::Table,
        text::{DIM, GREEN, Text},
    },
};

/// Show who answers for a role or to a name, and why
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Try everybody who may answer, and say who would
    Explain(ExplainArgs),
    /// List the names that clients of the gateway may use, and who answers to each
    List(ListArgs),
}

#[derive(Debug, clap::Args)]
struct ExplainArgs {
    /// The role that is asked for
    #[arg(long, value_enum, default_value_t)]
    role: Asked,

    /// A model as a client of the gateway names it, in place of a role
    #[arg(long, value_name = "NAME", conflicts_with = "role")]
    model: Option<String>,

    /// Tokens of the prompt and its answer, for which there must be room
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    tokens: u32,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Asked {
    #[default]
    Main,
    Research,
    Fallback,
}

#[derive(Debug, Serialize)]
struct Routes<'a> {
    names: Vec<Listed<'a>>,
    /// Who answers to every other name.
    others: &'static str,
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    name: &'a KnownName,
    model: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    role: &'static str,
    /// Who would answer; none when nobody can.
    winner: Option<String>,
    candidates: Vec<Explanation>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    name: String,
    /// The lower, the more wanted; equals share the work.
    rank: u32,
    provider: Option<String>,
    context_tokens: Option<u32>,
    parallel: Option<u32>,
    is_winner: bool,
    reason: String,
}

/// Runs `route`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    match &args.action {
        Action::Explain(args) => run_explain(args, &workspace, report),
        Action::List(args) => run_list(args, &workspace, report),
    }
}

fn run_explain(
    args: &ExplainArgs,
    workspace: &Workspace,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (role, choice) = if let Some(name) = &args.model {
        let choices = backend::for_all_roles(workspace, report)?;
        let role = backend::names(workspace, &choices)?.role(name).0;
        (role, of(choices, role))
    } else {
        let role = match args.role {
            Asked::Main => Role::Main,
            Asked::Research => Role::Research,
            Asked::Fallback => Role::Fallback,
        };
        (role, backend::for_role(workspace, role, report)?)
    };
    let failover = choice.open_when_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tried = runtime.block_on(failover.try_all());
    let explained = explain(role, failover.report(), tried, args.tokens);
    if args.json {
        report.json(&explained);
        return Ok(());
    }
    let mut table = Table::new(&["", "Model", "Context", "Why"], "Why");
    for it in &explained.candidates {
        let mark = if it.is_winner { Text::styled(GREEN, "\u{2713}") } else { "".into() };
        let context = it.context_tokens.map(|it| it.to_string()).unwrap_or_default();
        let why = Text::styled(DIM, &it.reason);
        table.push(vec![mark, it.name.as_str().into(), context.as_str().into(), why]);
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
    if explained.winner.is_none() {
        report.line("Nobody can answer now.");
        report.suggest("task-master backends", "the model servers that run here");
    }
    Ok(())
}

/// What belongs to a role, out of what belongs to all.
fn of<T>([main, research, fallback]: [T; 3], role: Role) -> T {
    match role {
        Role::Main => main,
        Role::Research => research,
        Role::Fallback => fallback,
    }
}

/// The names, the most binding first; nobody is tried.
fn run_list(args: &ListArgs, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let choices = backend::for_all_roles(workspace, report)?;
    let names = backend::names(workspace, &choices)?;
    let model = |role| &of(choices.each_ref(), role).id;
    let listed: Vec<Listed<'_>> =
        names.iter().map(|it| Listed { name: it, model: model(it.role) }).collect();
    if args.json {
        report.json(&Routes { names: listed, others: Role::Main.as_str() });
        return Ok(());
    }
    let mut table = Table::new(&["Name", "Role", "Model", "Why"], "Why");
    for it in &listed {
        let why = Text::styled(DIM, it.name.reason.told());
        table.push(vec![
            it.name.name.as_str().into(),
            it.name.role.as_str().into(),
            it.model.into(),
            why,
        ]);
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
    report.blank();
    report.line("Any other name is answered by main, and a model called sonar… by research.");
    Ok(())
}

fn explain(
    role: Role,
    seats: Vec<SeatReport>,
    tried: Vec<Result<ModelInfo, BackendError>>,
    tokens: u32,
) -> Explained {
    let mut winner: Option<(String, u32)> = None;
    let mut candidates = Vec::new();
    for (seat, tried) in seats.into_iter().zip(tried) {
        let info = tried.as_ref().ok();
        let is_too_small = info.is_some_and(|it| it.context_tokens < tokens);
        let mut is_winner = false;
        let reason = match (&tried, &winner) {
            (Err(error), _) => error.to_string(),
            (Ok(info), _) if is_too_small => {
                format!("{tokens} tokens do not fit into {}", info.context_tokens)
            }
            (Ok(_), None) => {
                is_winner = true;
                "is wanted most of those that can be asked".to_owned()
            }
            (Ok(_), Some((name, rank))) if *rank == seat.rank => {
                format!("shares the work with {name}")
            }
            (Ok(_), Some((name, _))) => format!("stands in when {name} fails"),
        };
        if is_winner {
            winner = Some((seat.name.clone(), seat.rank));
        }
        candidates.push(Explanation {
            rank: seat.rank,
            provider: info.map(|it| it.provider.clone()),
            context_tokens: info.map(|it| it.context_tokens),
            parallel: info.map(|it| it.parallel),
            is_winner,
            reason,
            name: seat.name,
        });
    }
    Explained { role: role.as_str(), winner: winner.map(|it| it.0), candidates }
}
