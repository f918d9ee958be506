//! Who is asked in tests.

use std::time::Duration;

use tm_testkit::model::ScriptedModel;

use super::Asking;
use crate::prompts::OURS;

pub(crate) fn asking(backend: &ScriptedModel) -> Asking<'_> {
    Asking {
        backend,
        language: "English",
        prompts: &OURS,
        timeout: Duration::from_mins(1),
        observer: &|_| (),
        documents: None,
        escalation: None,
    }
}
