//! The real binary in temporary projects.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod add_task;
mod agents;
mod ai;
mod ai_plan;
mod analyze_complexity;
mod autopilot;
mod backends;
mod cache;
mod clients;
mod complexity_report;
mod concurrency;
mod dependencies;
mod eval;
mod faults;
mod generate;
mod history;
mod init;
mod kb;
mod lang;
mod list;
mod manual;
mod mcp;
mod migrate;
mod model_server;
mod models;
mod next;
mod nonsense;
mod parse_prd;
mod prd;
mod project;
mod prompts;
mod research;
mod research_cited;
mod route;
mod rules;
mod scope;
mod serve;
mod set_status;
mod show;
mod structure;
mod sync_readme;
mod tags;
mod usage;
mod watch;
