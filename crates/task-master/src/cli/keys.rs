//! `keys`: who may use a gateway that other machines can reach.

use serde::Serialize;

use crate::{
    app::App,
    http::keys::{KeyError, KeyRecord, KeyStore, NewKey},
    report::{
        Report, advice,
        table::Table,
        text::{BOLD, DIM, Text},
    },
};

/// Make, list or remove the keys that `serve` asks other machines for
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a key, and show it this once
    Add(AddArgs),
    /// List the keys, which cannot be shown again
    List,
    /// Remove a key; who has it is refused from then on
    Rm {
        /// Its name or its id
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// What to call it, such as the machine or the person that gets it
    name: String,

    /// How many requests it is good for in a minute
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_minute: Option<u32>,

    /// A role or a model that it is good for; can be given several times
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Added<'a> {
    id: &'a str,
    name: &'a str,
    key: &'a str,
}

/// A key without what it is recognised by.
#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    name: String,
    created: String,
    requests_per_minute: Option<u32>,
    models: Vec<String>,
}

/// Runs `keys`.
pub fn run(args: &Args, app: &App, report: &mut Report) -> anyhow::Result<()> {
    let store = KeyStore::new(app.environment.keys_dir());
    match &args.action {
        Action::Add(add) => {
            let wanted = NewKey {
                name: add.name.clone(),
                requests_per_minute: add.requests_per_minute,
                models: add.models.clone(),
            };
            let (key, secret) = store.add(wanted, app.now).map_err(told)?;
            if args.json {
                report.json(&Added { id: &key.id, name: &key.name, key: secret.text() });
                return Ok(());
            }
            report.done(format!("the key {} was made, and is shown this once:", key.name).as_str());
            report.line(Text::styled(BOLD, &format!("  {}", secret.text())));
        }
        Action::List => list(args, store.list().map_err(told)?, report),
        Action::Rm { name } => {
            let key = Listed::from(store.remove(name).map_err(told)?);
            if args.json {
                report.json(&key);
                return Ok(());
            }
            report.done(format!("the key {} is good for nothing any more", key.name).as_str());
        }
    }
    Ok(())
}

fn list(args: &Args, keys: Vec<KeyRecord>, report: &mut Report) {
    let keys: Vec<Listed> = keys.into_iter().map(Listed::from).collect();
    if args.json {
        report.json(&keys);
        return;
    }
    if keys.is_empty() {
        report.line("There are no keys.");
        report.suggest("task-master keys add NAME", "make one");
        return;
    }
    let mut table = Table::new(&["Name", "Id", "Made", "A minute", "Models"], "Models");
    for key in keys {
        let limit = key.requests_per_minute.map_or_else(String::new, |it| it.to_string());
        let models = if key.models.is_empty() { "all".to_owned() } else { key.models.join(", ") };
        table.push(vec![
            Text::styled(BOLD, &key.name),
            Text::styled(DIM, &key.id),
            key.created.as_str().into(),
            limit.as_str().into(),
            models.as_str().into(),
        ]);
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
}

impl From<KeyRecord> for Listed {
    fn from(key: KeyRecord) -> Self {
        let KeyRecord { id, name, created, requests_per_minute, models, .. } = key;
        Self { id, name, created, requests_per_minute, models }
    }
}

/// What to do about keys that cannot be read or changed.
pub(super) fn told(error: KeyError) -> anyhow::Error {
    let hint = match &error {
        KeyError::NoName => "name the machine or the person that gets it",
        KeyError::Taken { .. } => {
            "remove it first with `task-master keys rm`, or choose another name"
        }
        KeyError::Unknown { .. } => "see which keys there are with `task-master keys list`",
        KeyError::Unusable { .. } => "nothing was changed; see who owns it, or delete it",
        KeyError::Random => "nothing was changed",
    };
    let message = error.to_string();
    anyhow::Error::new(error).context(advice(message, hint))
}
