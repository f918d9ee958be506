//! `lang`: the language that models answer in.

use crate::{
    app::App,
    language::{self, SetLanguageError},
    report::{Report, advice},
};

/// Say which language models answer in
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The language, such as Spanish
    #[arg(long, value_name = "LANGUAGE")]
    response: Option<String>,

    /// Ask for the language
    #[arg(long)]
    setup: bool,
}

/// Runs `lang`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let language = match &args.response {
        Some(language) => language.clone(),
        None if args.setup => ask(&workspace.config.globals().response_language, report)?,
        None => language::DEFAULT.to_owned(),
    };
    let set = language::set(&workspace.project, &language).map_err(explain)?;
    report.done(format!("models answer in {}", set.language));
    Ok(())
}

fn ask(now: &str, report: &mut Report) -> anyhow::Result<String> {
    if !report.is_interactive() {
        let hint = "run it in a terminal, or name the language with --response";
        return Err(advice("there is nobody to ask", hint).into());
    }
    let answer = report.answer(&format!("Which language shall models answer in? [{now}]"));
    Ok(answer.unwrap_or_else(|| now.to_owned()))
}

fn explain(error: SetLanguageError) -> anyhow::Error {
    let hint = match &error {
        SetLanguageError::NoName => "name one, such as `task-master lang --response Spanish`",
        SetLanguageError::NoConfig { .. } => "set the project up with `task-master init`",
        SetLanguageError::Config(_) => "mend the file, or see what its permissions are",
    };
    anyhow::Error::new(error).context(advice("the language was not changed", hint))
}
