//! `research`: a question about the project, answered in prose.

use serde_json::{Value, json};
use tm_tasks::{config::Role, document::Tag, id::TaskId};
use tm_workflows::research::{
    Detail, Research, research as answer,
    session::{Exchange, Session},
    sources::{self, SourceFile},
};

use super::{
    PROJECT_ROOT, TAG,
    asking::{ask_for, told},
};
use crate::{
    knowledge::{self, tell_degraded},
    mcp::{
        call::Call,
        envelope::Answer,
        parameter::Parameter,
        registry::{Effect, Tier, Tool},
    },
    report::advice,
};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "research",
    title: "Research",
    description: "Ask the research model about the project.",
    effect: Effect::Asks,
    tier: Tier::All,
    parameters: &[
        Parameter::text("query", "").required(),
        Parameter::text("taskIds", "Tell it about these, e.g. 3,4.1"),
        Parameter::text("filePaths", "Tell it these files, e.g. a.md,b.md"),
        Parameter::text("customContext", "Tell it this, too"),
        Parameter::flag("includeProjectTree", "Tell it which files there are"),
        Parameter::one_of("detailLevel", &["low", "medium", "high"], ""),
        Parameter::text("saveTo", "Add the answer to this task"),
        Parameter::flag("saveToFile", "Save it in .taskmaster/docs/research"),
        PROJECT_ROOT,
        TAG,
    ],
    run: research,
}];

fn research(call: &mut Call<'_>) -> anyhow::Result<Answer> {
    let file = call.workspace.read()?;
    let tag = file.tag(call.tag());
    let request = question(call, tag)?;
    let save_to = call.arguments.text("saveTo").map(str::parse::<TaskId>).transpose()?;
    // Known before a model works for it.
    if let Some(id) = save_to.as_ref().filter(|it| tag.and_then(|tag| tag.find(it)).is_none()) {
        anyhow::bail!("there is no task {id} in tag `{}`", call.tag());
    }
    let tasks = tag.map(Tag::tasks).unwrap_or_default();
    let answered = ask_for(call, Role::Research, "research", async |asking| {
        answer(asking, tasks, &request).await.map_err(|error| told(error.into()))
    })?;
    let researched = answered.value;
    for id in &researched.told.left_out {
        call.report.warn(&format!("there was no room to tell the model about {id}"));
    }
    tell_degraded(&request.documents.libraries, call.report);
    let exchanges = [Exchange { query: request.query.clone(), answer: researched.answer.clone() }];
    let model = answered.telemetry.get("modelUsed").and_then(Value::as_str).unwrap_or_default();
    let session = Session { exchanges: &exchanges, model, at: call.now() };
    let saved = save(call, &session, save_to.as_ref())?;
    let context = researched.told.context();
    let (system, user) = (researched.told.system.tokens, researched.told.user.tokens);
    let mut data = json!({
        "query": request.query,
        "result": researched.answer,
        "contextSize": context.characters,
        "contextTokens": context.tokens,
        "tokenBreakdown": researched.told.to_json(),
        "systemPromptTokens": system,
        "userPromptTokens": user,
        "totalInputTokens": system + user,
        "detailLevel": request.detail.as_str(),
        "telemetryData": answered.telemetry,
        "tagInfo": call.tag_info()?,
    });
    if let (Some(cited), Some(members)) = (&researched.cited, data.as_object_mut()) {
        members.insert("cited".to_owned(), json!(cited));
    }
    if let (Some(path), Some(members)) = (saved, data.as_object_mut()) {
        members.insert("savedFilePath".to_owned(), json!(path));
    }
    Answer::new(&data)
}

/// What is asked, and what belongs to it. Tasks that do not exist are told and left out.
fn question(call: &mut Call<'_>, tag: Option<&Tag>) -> anyhow::Result<Research> {
    let arguments = call.arguments;
    if arguments.required("query").trim().is_empty() {
        return Err(advice("the question is empty", "Pass query").into());
    }
    let root = call.workspace.project.root();
    let is_there = |id: &TaskId| tag.is_some_and(|it| it.find(id).is_some());
    let (named, missing): (Vec<TaskId>, Vec<TaskId>) = match arguments.text("taskIds") {
        Some(ids) => TaskId::parse_list(ids)?.into_iter().partition(is_there),
        None => (Vec::new(), Vec::new()),
    };
    let name = call.tag().to_owned();
    for id in &missing {
        call.report.warn(&format!("there is no task {id} in tag `{name}`"));
    }
    let files = arguments.text("filePaths").unwrap_or_default().split(',').map(str::trim);
    let files = files.filter(|it| !it.is_empty()).map(|it| sources::read_file(root, it));
    let files = files.collect::<Result<Vec<SourceFile>, _>>()?;
    Ok(Research {
        query: arguments.required("query").to_owned(),
        named,
        documents: knowledge::documents(call.workspace, &files, call.report)?,
        files,
        custom: arguments.text("customContext").map(str::to_owned),
        tree: arguments.flag("includeProjectTree").then(|| sources::tree(root)),
        detail: arguments.text("detailLevel").unwrap_or("medium").parse::<Detail>()?,
        earlier: Vec::new(),
    })
}

/// Keeps the answer where that is wanted, and returns the file's path.
fn save(
    call: &Call<'_>,
    session: &Session<'_>,
    task: Option<&TaskId>,
) -> anyhow::Result<Option<String>> {
    if let Some(id) = task {
        session.save_to_task(&call.workspace.store, call.tag(), id)?;
    }
    if !call.arguments.flag("saveToFile") {
        return Ok(None);
    }
    let directory = call.workspace.project.docs_dir().join("research");
    Ok(Some(session.save_new(&directory)?.display().to_string()))
}
