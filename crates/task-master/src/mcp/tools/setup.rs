//! Tools that set a project up: models, the language, rules, the project itself.

use serde::Serialize;
use serde_json::json;
use tm_tasks::config::Role;

use super::PROJECT_ROOT;
use crate::{
    backend, language,
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
    roles::{self, SetModelError, Wanted},
    rules::{self, Outcome, Places, profile},
};

/// The editors and agents that there are rules for.
pub(super) const PROFILES: &[&str] = &[
    "amp", "claude", "cline", "codex", "cursor", "gemini", "kiro", "opencode", "kilo", "roo",
    "trae", "vscode", "windsurf", "zed",
];

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "models",
        title: "Models",
        description: "Show which models play which role, list others, or set one.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::text("setMain", "Model id"),
            Parameter::text("setResearch", "Model id"),
            Parameter::text("setFallback", "Model id"),
            Parameter::flag("listAvailableModels", "List what could be set"),
            PROJECT_ROOT,
            Parameter::flag("openrouter", ""),
            Parameter::flag("ollama", "It is the Ollama server's"),
            Parameter::flag("bedrock", ""),
            Parameter::flag("azure", ""),
            Parameter::flag("vertex", ""),
            Parameter::flag("openai-compatible", ""),
            Parameter::text("baseURL", "Address of its server"),
        ],
        run: models,
    },
    Tool {
        name: "response-language",
        title: "Response Language",
        description: "Set the language that models write in.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[PROJECT_ROOT, Parameter::text("language", "e.g. Spanish").required()],
        run: response_language,
    },
    Tool {
        name: "rules",
        title: "Rules",
        description: "Write or remove the rules of editors and agents.",
        effect: Effect::Changes,
        tier: Tier::All,
        parameters: &[
            Parameter::one_of("action", &["add", "remove"], "").required(),
            Parameter::list_of("profiles", PROFILES, 1, "").required(),
            PROJECT_ROOT,
            Parameter::flag("force", "Remove even the last"),
        ],
        run: rules,
    },
];

/// Every role that is named gets its model; the answer is about the first.
fn models(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let project = &call.workspace.project;
    let named =
        [(Role::Main, "setMain"), (Role::Research, "setResearch"), (Role::Fallback, "setFallback")];
    let wanted = named.iter().filter_map(|(role, name)| Some((*role, call.arguments.text(name)?)));
    let mut providers = PROVIDERS.iter().copied().filter(|it| call.arguments.flag(it));
    let provider = providers.next();
    if let (Some(one), Some(another)) = (provider, providers.next()) {
        let message = format!("a model belongs to one provider, not to {one} and {another}");
        return Err(advice(message, "Nothing was set; name one of them").into());
    }
    let base_url = call.arguments.text("baseURL");
    let guard = backend::guard(call.workspace);
    let mut first = None;
    for (role, model_id) in wanted {
        let wanted = Wanted { role, model_id, provider, base_url };
        let set = roles::set_model(project, &guard, wanted);
        let set = call.wait(async { set.await.map_err(explain) })?;
        first.get_or_insert(set);
    }
    if let Some(set) = first {
        return Answer::new(&set);
    }
    let workspace = call.workspace;
    let active = roles::active(project, &workspace.config, &workspace.environment);
    if call.arguments.flag("listAvailableModels") {
        let models = roles::available(&active);
        let message = format!("Found {} available models", models.len());
        return Answer::new(&json!({ "models": models, "message": message }));
    }
    Answer::new(&json!({
        "activeModels": active,
        "message": "Successfully retrieved current model configuration",
    }))
}

const PROVIDERS: &[&str] =
    &["openrouter", "ollama", "bedrock", "azure", "vertex", "openai-compatible"];

fn explain(error: SetModelError) -> anyhow::Error {
    let hint = error.hint();
    let message = "the model was not set";
    anyhow::Error::new(error).context(advice(message, hint))
}

fn response_language(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let set = language::set(&call.workspace.project, call.arguments.required("language"))?;
    Answer::new(&set)
}

fn rules(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let places = Places {
        root: call.workspace.project.root(),
        home: call.workspace.environment.home.as_deref(),
    };
    let profiles: Vec<_> =
        call.arguments.texts("profiles").into_iter().filter_map(profile::find).collect();
    let is_adding = call.arguments.required("action") == "add";
    if !is_adding && !call.arguments.flag("force") {
        let installed = rules::installed(places);
        let is_last = |it: &&profile::Profile| profiles.iter().any(|named| named.name == it.name);
        if !installed.is_empty() && installed.iter().all(is_last) {
            let message = "this would remove the last rules";
            return Err(advice(message, "Nothing was removed; pass force to go on").into());
        }
    }
    let names: Vec<&str> = profiles.iter().map(|it| it.name).collect();
    let what = if is_adding { "added" } else { "removed Task Master" };
    let summary = format!("Successfully {what} rules: {}.", names.join(", "));
    let mut results = Vec::new();
    for profile in profiles {
        results.push(if is_adding {
            told(rules::add(places, profile, None)?, Some(profile))
        } else {
            told(rules::remove(places, profile)?, None)
        });
    }
    Answer::new(&json!({ "summary": summary, "results": results }))
}

/// What was done for a profile, with the members that clients look for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileDone {
    #[serde(flatten)]
    outcome: Outcome,
    skipped: bool,
    error: Option<String>,
    notice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mcp_config_created: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules_dir_created: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_folder_created: Option<bool>,
}

fn told(outcome: Outcome, added: Option<&profile::Profile>) -> ProfileDone {
    let notice = (!outcome.notes.is_empty()).then(|| outcome.notes.join("; "));
    let is_there = added.map(|_| true);
    ProfileDone {
        skipped: false,
        error: None,
        mcp_config_created: added.filter(|it| it.has_server()).map(|_| notice.is_none()),
        rules_dir_created: is_there,
        profile_folder_created: is_there,
        notice,
        outcome,
    }
}
