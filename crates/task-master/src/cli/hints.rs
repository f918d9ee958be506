//! What to try, where several commands say the same.

/// After an id that names nothing.
pub(super) const TASKS: &str = "see which tasks there are with `task-master list`";

/// After a name that names no tag.
pub(super) const TAGS: &str = "see which tags there are with `task-master tags`";
