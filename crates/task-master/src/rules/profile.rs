//! The editors and agents that rules are written for: where each of them looks for what.
//!
//! Data only. What the files say is known to [`super::text`] and [`super::commands`], how MCP
//! settings are changed to [`super::mcp`].

/// An editor or agent.
#[derive(Debug)]
pub struct Profile {
    pub name: &'static str,
    pub title: &'static str,
    /// What lies in a project whose people use it.
    pub markers: &'static [&'static str],
    pub(super) rules: Option<RuleFiles>,
    pub(super) instructions: Option<Instructions>,
    pub(super) commands: Option<CommandFiles>,
    pub(super) mcp: Option<McpFile>,
    pub(super) extras: Extras,
}

impl Profile {
    /// Whether its MCP settings name the server.
    pub fn has_server(&self) -> bool {
        self.mcp.is_some()
    }
}

/// A directory with a file for each rule.
#[derive(Debug)]
pub(super) struct RuleFiles {
    pub(super) directory: &'static str,
    pub(super) extension: &'static str,
    pub(super) front: Front,
    /// Whether the rules about Task Master lie in a directory of their own.
    pub(super) nested: bool,
}

/// What a rule file begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    Nothing,
    /// `description`, `globs` and `alwaysApply`.
    Cursor,
    /// `alwaysApply` alone.
    Always,
    /// `trigger: always_on`.
    Windsurf,
    /// `description` and `applyTo`.
    VsCode,
    /// `inclusion: always`.
    Kiro,
}

/// One text for everything.
#[derive(Debug)]
pub(super) enum Instructions {
    /// The user's file gets a line that brings ours in.
    Imported { file: &'static str, ours: &'static str },
    /// The user's file gets a section; only when no mode is asked for.
    Section { file: &'static str },
}

/// A directory with a file for each slash command.
#[derive(Debug)]
pub(super) struct CommandFiles {
    pub(super) directory: &'static str,
    pub(super) prefix: &'static str,
    pub(super) format: CommandFormat,
    /// Whether it lies in the user's home directory, and serves all projects.
    pub(super) in_home: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandFormat {
    /// Description, arguments, text.
    Plain,
    /// The text alone.
    Body,
    Toml,
    /// The text below YAML.
    FrontMatter,
}

/// The file in which MCP servers are named.
#[derive(Debug)]
pub(super) struct McpFile {
    pub(super) path: &'static str,
    /// The member that holds the servers.
    pub(super) servers: &'static str,
    pub(super) shape: McpShape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum McpShape {
    Plain,
    /// With `type: stdio`.
    Stdio,
    /// With a limit of time.
    Timeout,
    /// With `source: custom`.
    Custom,
    /// One list of words, as `OpenCode` has it.
    Words,
}

/// What only one of them has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extras {
    Nothing,
    /// A file of modes, and a directory for each mode.
    Modes {
        file: &'static str,
        directory: &'static str,
    },
    Hooks {
        directory: &'static str,
    },
}

/// All of them, by name.
pub const PROFILES: [&Profile; 14] = [
    &AMP, &CLAUDE, &CLINE, &CODEX, &CURSOR, &GEMINI, &KILO, &KIRO, &OPENCODE, &ROO, &TRAE, &VSCODE,
    &WINDSURF, &ZED,
];

/// The profile of this name.
pub fn find(name: &str) -> Option<&'static Profile> {
    PROFILES.into_iter().find(|it| it.name == name)
}

const NONE: Profile = Profile {
    name: "",
    title: "",
    markers: &[],
    rules: None,
    instructions: None,
    commands: None,
    mcp: None,
    extras: Extras::Nothing,
};

const fn rules(directory: &'static str, front: Front) -> RuleFiles {
    RuleFiles { directory, extension: "md", front, nested: false }
}

const fn commands(
    directory: &'static str,
    prefix: &'static str,
    format: CommandFormat,
) -> CommandFiles {
    CommandFiles { directory, prefix, format, in_home: false }
}

const fn mcp(path: &'static str, servers: &'static str, shape: McpShape) -> McpFile {
    McpFile { path, servers, shape }
}

static AMP: Profile = Profile {
    name: "amp",
    title: "Amp",
    instructions: Some(Instructions::Imported { file: "AGENT.md", ours: ".taskmaster/AGENT.md" }),
    mcp: Some(mcp(".vscode/settings.json", "amp.mcpServers", McpShape::Plain)),
    ..NONE
};
static CLAUDE: Profile = Profile {
    name: "claude",
    title: "Claude Code",
    markers: &[".claude"],
    instructions: Some(Instructions::Imported { file: "CLAUDE.md", ours: ".taskmaster/CLAUDE.md" }),
    commands: Some(commands(".claude/commands/tm", "", CommandFormat::Plain)),
    mcp: Some(mcp(".mcp.json", "mcpServers", McpShape::Stdio)),
    ..NONE
};
static CLINE: Profile = Profile {
    name: "cline",
    title: "Cline",
    markers: &[".cline"],
    rules: Some(rules(".clinerules", Front::Nothing)),
    ..NONE
};
static CODEX: Profile = Profile {
    name: "codex",
    title: "Codex",
    markers: &[".codex"],
    instructions: Some(Instructions::Section { file: "AGENTS.md" }),
    commands: Some(CommandFiles {
        directory: ".codex/prompts",
        prefix: "tm-",
        format: CommandFormat::FrontMatter,
        in_home: true,
    }),
    ..NONE
};
static CURSOR: Profile = Profile {
    name: "cursor",
    title: "Cursor",
    markers: &[".cursor"],
    rules: Some(RuleFiles {
        directory: ".cursor/rules",
        extension: "mdc",
        front: Front::Cursor,
        nested: true,
    }),
    commands: Some(commands(".cursor/commands/tm", "", CommandFormat::Body)),
    mcp: Some(mcp(".cursor/mcp.json", "mcpServers", McpShape::Plain)),
    ..NONE
};
static GEMINI: Profile = Profile {
    name: "gemini",
    title: "Gemini CLI",
    markers: &[".gemini", "GEMINI.md"],
    instructions: Some(Instructions::Section { file: "GEMINI.md" }),
    commands: Some(commands(".gemini/commands/tm", "", CommandFormat::Toml)),
    mcp: Some(mcp(".gemini/settings.json", "mcpServers", McpShape::Plain)),
    ..NONE
};
static KILO: Profile = Profile {
    name: "kilo",
    title: "Kilo Code",
    markers: &[".kilo"],
    rules: Some(rules(".kilo/rules", Front::Nothing)),
    mcp: Some(mcp(".kilo/mcp.json", "mcpServers", McpShape::Plain)),
    extras: Extras::Modes { file: ".kilocodemodes", directory: ".kilo" },
    ..NONE
};
static KIRO: Profile = Profile {
    name: "kiro",
    title: "Kiro",
    markers: &[".kiro"],
    rules: Some(rules(".kiro/steering", Front::Kiro)),
    mcp: Some(mcp(".kiro/settings/mcp.json", "mcpServers", McpShape::Plain)),
    extras: Extras::Hooks { directory: ".kiro/hooks" },
    ..NONE
};
static OPENCODE: Profile = Profile {
    name: "opencode",
    title: "OpenCode",
    markers: &[".opencode"],
    instructions: Some(Instructions::Section { file: "AGENTS.md" }),
    commands: Some(commands(".opencode/command", "tm-", CommandFormat::FrontMatter)),
    mcp: Some(mcp("opencode.json", "mcp", McpShape::Words)),
    ..NONE
};
static ROO: Profile = Profile {
    name: "roo",
    title: "Roo Code",
    markers: &[".roo"],
    rules: Some(rules(".roo/rules", Front::Nothing)),
    commands: Some(commands(".roo/commands", "tm-", CommandFormat::FrontMatter)),
    mcp: Some(mcp(".roo/mcp.json", "mcpServers", McpShape::Timeout)),
    extras: Extras::Modes { file: ".roomodes", directory: ".roo" },
    ..NONE
};
static TRAE: Profile = Profile {
    name: "trae",
    title: "Trae",
    markers: &[".trae"],
    rules: Some(rules(".trae/rules", Front::Always)),
    ..NONE
};
static VSCODE: Profile = Profile {
    name: "vscode",
    title: "VS Code",
    markers: &[".vscode"],
    rules: Some(RuleFiles {
        directory: ".github/instructions",
        extension: "instructions.md",
        front: Front::VsCode,
        nested: false,
    }),
    mcp: Some(mcp(".vscode/mcp.json", "servers", McpShape::Stdio)),
    ..NONE
};
static WINDSURF: Profile = Profile {
    name: "windsurf",
    title: "Windsurf",
    markers: &[".windsurf"],
    rules: Some(rules(".windsurf/rules", Front::Windsurf)),
    mcp: Some(mcp(".windsurf/mcp.json", "mcpServers", McpShape::Plain)),
    ..NONE
};
static ZED: Profile = Profile {
    name: "zed",
    title: "Zed",
    markers: &[".zed"],
    instructions: Some(Instructions::Section { file: ".rules" }),
    mcp: Some(mcp(".zed/settings.json", "context_servers", McpShape::Custom)),
    ..NONE
};
