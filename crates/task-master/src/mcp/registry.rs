//! Which tools there are, and which of them a client gets.
//!
//! Every tool that a client is told about takes room in its model's context, so that most get a
//! few and ask for more: `TASK_MASTER_TOOLS` names a tier, or tools. Start at [`Selection::new`].

use rmcp::model::{Tool as ToolDescription, ToolAnnotations};

use super::{
    call::Call,
    envelope::Answer,
    parameter::{Parameter, schema},
    tools,
};

/// One tool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) effect: Effect,
    pub(super) tier: Tier,
    pub(super) parameters: &'static [Parameter],
    pub(super) run: fn(&mut Call<'_>) -> anyhow::Result<Answer>,
}

/// What a tool does to the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    /// Nothing that was there is lost.
    Adds,
    Changes,
    /// Its answer comes from elsewhere.
    Asks,
}

/// The smallest set of tools that one belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    Core,
    Standard,
    All,
}

/// The tools of one server.
#[derive(Debug)]
pub(super) struct Selection {
    tools: Vec<&'static Tool>,
    /// Names that were asked for and are none.
    unknown: Vec<String>,
}

impl Selection {
    /// The tools that `TASK_MASTER_TOOLS` asks for.
    pub(super) fn new(asked: Option<&str>) -> Self {
        let asked = asked.map(|it| it.trim().to_ascii_lowercase()).unwrap_or_default();
        match asked.as_str() {
            "" | "core" | "lean" => Self::of(Tier::Core),
            "standard" => Self::of(Tier::Standard),
            "all" => Self::of(Tier::All),
            names => Self::named(names),
        }
    }

    fn of(tier: Tier) -> Self {
        let tools = tools::all().filter(|it| it.tier <= tier).collect();
        Self { tools, unknown: Vec::new() }
    }

    /// Tools by their names, `-` and `_` being the same; all of them when there is none.
    fn named(names: &str) -> Self {
        let mut selection = Self { tools: Vec::new(), unknown: Vec::new() };
        for name in names.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            let wanted = name.replace('-', "_");
            // Its tool has a longer name than those who configure it know.
            let wanted = if wanted == "autopilot_complete" { COMPLETE_PHASE } else { &*wanted };
            match tools::all().find(|it| it.name.replace('-', "_") == wanted) {
                Some(tool) if selection.find(tool.name).is_some() => {}
                Some(tool) => selection.tools.push(tool),
                None => selection.unknown.push(name.to_owned()),
            }
        }
        if selection.tools.is_empty() {
            selection.tools = tools::all().collect();
        }
        selection
    }

    pub(super) fn find(&self, name: &str) -> Option<&'static Tool> {
        self.tools.iter().copied().find(|it| it.name == name)
    }

    /// What clients are told about the tools.
    pub(super) fn descriptions(&self) -> Vec<ToolDescription> {
        self.tools.iter().map(|it| it.describe()).collect()
    }

    /// Names that were asked for and are none.
    pub(super) fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

const COMPLETE_PHASE: &str = "autopilot_complete_phase";

impl Tool {
    fn describe(&self) -> ToolDescription {
        let annotations = ToolAnnotations::with_title(self.title);
        let annotations = match self.effect {
            Effect::Reads => annotations.read_only(true),
            Effect::Adds => annotations.destructive(false),
            Effect::Changes => annotations.destructive(true),
            Effect::Asks => annotations.destructive(true).open_world(true),
        };
        ToolDescription::new(self.name, self.description, schema(self.parameters))
            .with_annotations(annotations)
    }
}

#[cfg(test)]
mod tests;
