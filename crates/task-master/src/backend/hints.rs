//! What to try when a model cannot be used, or gives no answer.

use tm_llm::backend::BackendError;

use crate::report::advice;

/// What is told of a model that cannot be opened.
pub fn unusable(id: &str, error: BackendError) -> anyhow::Error {
    let (message, hint) = (format!("the model {id} cannot be used"), hint(&error));
    anyhow::Error::new(error).context(advice(message, hint))
}

/// What to try when a model gives no answer.
pub fn hint(error: &BackendError) -> &'static str {
    match error {
        BackendError::Load { .. } | BackendError::OutOfMemory { .. } => {
            "nothing was changed; see `task-master models list` for models that are here and \
             fit, or fetch this one again with `task-master models pull`"
        }
        BackendError::Unreachable { .. } => {
            "start it, or see which servers run with `task-master backends`"
        }
        BackendError::ModelMissing { .. } => {
            "see which models there are with `task-master backends`"
        }
        BackendError::Unauthorized { .. } => "set its key in the environment or in .env",
        BackendError::NotLocal { .. } => {
            "if the host is yours, list it in TASKMASTER_LOCAL_HOSTS; nothing was sent"
        }
        BackendError::ContextOverflow { .. } => {
            "say less, or take a model with a larger context window"
        }
        BackendError::NoEmbeddings { .. } => {
            "give the project a model that does, as `models.embedding` in its configuration"
        }
        BackendError::NoReranking { .. } => {
            "name a server that does as `models.rerank` in the project's configuration"
        }
        BackendError::Busy { .. } => "try again in a while",
        BackendError::DeadlineExceeded { .. } => "allow more time with TASKMASTER_TIMEOUT_S",
        BackendError::Refused { .. }
        | BackendError::EmptyAnswer { .. }
        | BackendError::Broken { .. }
        | BackendError::Reported { .. } => "nothing was changed; look at the server, or try again",
    }
}
