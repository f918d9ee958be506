//! `initialize_project`: makes a directory a project.

use serde_json::json;

use super::{PROJECT_ROOT, setup::PROFILES};
use crate::{
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
    rules::{self, Mode, Places, profile},
    setup::{self, Choices},
};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "initialize_project",
    title: "Initialize Project",
    description: "Make a directory a project.",
    effect: Effect::Changes,
    tier: Tier::Standard,
    parameters: &[
        Parameter::flag("skipInstall", "No effect"),
        Parameter::flag("addAliases", "Shell aliases; true if left out"),
        Parameter::flag("initGit", "true if left out"),
        Parameter::flag("storeTasksInGit", "true if left out"),
        Parameter::flag("yes", "No effect"),
        PROJECT_ROOT,
        Parameter::list_of("rules", PROFILES, 0, "cursor if left out"),
    ],
    run: initialize_project,
}];

fn initialize_project(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let workspace = call.workspace;
    let (project, environment) = (&workspace.project, &workspace.environment);
    let home = environment.home.as_deref();
    // The project's own path has no links in it.
    let is_home = home.and_then(|it| it.canonicalize().ok()).is_some_and(|it| it == project.root());
    if project.root().parent().is_none() || is_home {
        let message = format!("{} is no place for a project", project.root().display());
        return Err(advice(message, "Name the project's own directory").into());
    }
    let is_wanted = |name| call.arguments.choice(name).unwrap_or(true);
    let choices = Choices {
        aliases: is_wanted("addAliases"),
        git: is_wanted("initGit"),
        ignore_tasks: !is_wanted("storeTasksInGit"),
        by_agent: true,
    };
    let steps = setup::plan(project, choices, environment, call.now())?;
    for warning in setup::apply(&steps, call.now())? {
        call.report.warn(&warning);
    }
    let mut names = call.arguments.texts("rules");
    if names.is_empty() {
        names.push("cursor");
    }
    let places = Places { root: project.root(), home };
    for profile in names.into_iter().filter_map(profile::find) {
        for note in rules::add(places, profile, Some(Mode::Solo))?.notes {
            call.report.warn(&note);
        }
    }
    Answer::new(&json!({
        "message": "Project initialized successfully.",
        "next_step": "Write down what to build in .taskmaster/docs/prd.txt, with the user, and \
                      turn it into tasks with parse_prd. \
                      .taskmaster/templates/example_prd.txt shows how.",
    }))
}
