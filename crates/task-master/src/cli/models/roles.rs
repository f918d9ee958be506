//! `models` without a command: shows the roles, and gives them to models.

use serde::Serialize;
use tm_tasks::config::Role;

use crate::{
    app::{App, Workspace},
    backend,
    report::{
        Report, advice,
        table::Table,
        text::{BOLD, DIM, GREEN, Text, YELLOW},
    },
    roles::{
        self, ActiveModel, ActiveModels, AvailableModel, Wanted, keys,
        known::{self, Cost, KnownModel},
    },
};

/// Whose model it is, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) provider: Option<&'a str>,
    pub(super) base_url: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    active_models: ActiveModels,
    models: Vec<AvailableModel>,
}

/// Gives roles to models. As in the original, a model that cannot be set is told, and is no
/// failure of the command; a project without a configuration is.
pub(super) fn set(
    wanted: &[(Role, &str)],
    choice: Choice,
    app: &App,
    report: &mut Report,
) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let path = workspace.project.config_file();
    if !path.is_file() {
        let message = format!("{} does not exist", path.display());
        return Err(advice(message, "set the project up with `task-master init`").into());
    }
    let mut changed = 0;
    for (role, model_id) in wanted.iter().copied() {
        let Choice { provider, base_url } = choice;
        let wanted = Wanted { role, model_id, provider, base_url };
        changed += usize::from(set_one(&workspace, wanted, report)?);
    }
    if changed == 0 {
        report.line("No model configuration changes were made.");
    }
    Ok(())
}

/// Whether the role has the model now.
pub(super) fn set_one(
    workspace: &Workspace,
    wanted: Wanted,
    report: &mut Report,
) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let role = wanted.role.as_str();
    let guard = backend::guard(workspace);
    match runtime.block_on(roles::set_model(&workspace.project, &guard, wanted)) {
        Ok(set) => {
            report.done(set.message);
            if let Some(warning) = set.warning {
                report.warn(&warning);
            }
            Ok(true)
        }
        Err(error) => {
            let advice = advice(format!("the {role} model was not set"), error.hint());
            report.error(&anyhow::Error::new(error).context(advice));
            Ok(false)
        }
    }
}

/// Prints what programs want to know of the roles.
pub(super) fn print_json(app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let active_models = active(&workspace);
    let models = roles::available(&active_models);
    report.json(&Document { active_models, models });
    Ok(())
}

/// Shows who plays which role, and whom configurations may name.
pub(super) fn show(app: &App, report: &mut Report) -> anyhow::Result<()> {
    let workspace = app.open(None, report)?;
    let active = active(&workspace);
    let columns = report.columns();
    report.line(Text::styled(BOLD, "Roles"));
    report.lines(roles_table(&workspace, &active).lines(columns));
    for role in Role::ALL {
        let variable = roles::variable(role);
        if workspace.environment.variable(variable).is_some() {
            report.note(&format!("{variable} names the {} model", role.as_str()));
        }
    }
    report.blank();
    report.line(Text::styled(BOLD, "Models of other providers that a configuration may name"));
    report.lines(known_table(&known::models()).lines(columns));
    let why = "Models on this machine answer in their place, unless TASKMASTER_MODE allows others.";
    report.line(Text::styled(DIM, why));
    report.blank();
    report.line(Text::styled(BOLD, "Models that run on this machine"));
    Ok(())
}

fn active(workspace: &Workspace) -> ActiveModels {
    roles::active(&workspace.project, &workspace.config, &workspace.environment)
}

fn roles_table(workspace: &Workspace, active: &ActiveModels) -> Table {
    let titles = ["Role", "Configured", "Key", "Score", "Cost of 1M tokens", "Answered by"];
    let mut table = Table::new(&titles, "Answered by");
    let models = [
        (Role::Main, &active.main),
        (Role::Research, &active.research),
        (Role::Fallback, &active.fallback),
    ];
    for (role, model) in models {
        let cell = |text: &dyn Fn(&ActiveModel) -> Text| {
            model.as_ref().map_or_else(|| Text::styled(DIM, "–"), text)
        };
        table.push(vec![
            Text::styled(BOLD, role.as_str()),
            cell(&|it| format!("{}/{}", it.provider, it.model_id).into()),
            cell(&key),
            cell(&|it| score(it.swe_score)),
            cell(&|it| cost(it.cost)),
            answered_by(workspace, role),
        ]);
    }
    table
}

/// A key is never used here, but configurations are shared with those who need one.
fn key(model: &ActiveModel) -> Text {
    let Some(variable) = keys::variable(&model.provider) else {
        return Text::styled(DIM, "none needed");
    };
    match (model.key_status.cli, model.key_status.mcp) {
        (true, true) => Text::styled(GREEN, "set"),
        (true, false) => Text::styled(GREEN, "set (environment)"),
        (false, true) => Text::styled(YELLOW, "set (mcp.json)"),
        (false, false) => Text::styled(DIM, &format!("{variable} not set")),
    }
}

fn answered_by(workspace: &Workspace, role: Role) -> Text {
    match backend::name(workspace, role) {
        Ok(name) => Text::styled(GREEN, &name),
        Err(_) => Text::styled(YELLOW, "nobody yet: task-master models pull"),
    }
}

fn known_table(models: &[KnownModel]) -> Table {
    let titles = ["Provider", "Model", "Score", "Cost of 1M tokens", "Roles"];
    let mut table = Table::new(&titles, "Model");
    for model in models {
        table.push(vec![
            model.provider.as_str().into(),
            model.id.as_str().into(),
            score(model.score),
            cost(model.cost),
            model.roles().collect::<Vec<_>>().join(", ").as_str().into(),
        ]);
    }
    table
}

fn score(score: Option<f64>) -> Text {
    match score {
        Some(score) => format!("{:.1} %", score * 100.0).into(),
        None => Text::styled(DIM, "–"),
    }
}

fn cost(cost: Option<Cost>) -> Text {
    match cost {
        None => Text::styled(DIM, "–"),
        Some(Cost { input, output }) if input <= 0.0 && output <= 0.0 => "free".into(),
        Some(Cost { input, output }) => format!("${input} in, ${output} out").into(),
    }
}
