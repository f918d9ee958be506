use std::path::Path;

use notify::{
    Event, EventKind,
    event::{AccessKind, CreateKind, ModifyKind, RemoveKind},
};

use super::concerns;

#[test]
fn only_what_may_change_the_file_concerns_it() {
    #[track_caller]
    fn check(kind: EventKind, path: &str, expected: bool) {
        let event = Event::new(kind).add_path(path.into());
        assert_eq!(concerns(&event, Path::new("/p/.taskmaster/tasks/tasks.json")), expected);
    }
    let modified = EventKind::Modify(ModifyKind::Any);
    check(modified, "/p/.taskmaster/tasks/tasks.json", true);
    check(EventKind::Remove(RemoveKind::Any), "/p/.taskmaster/tasks", true);
    check(EventKind::Create(CreateKind::Any), "/p/.taskmaster", true);
    check(modified, "/p/.taskmaster/tasks/.tasks.json.task-master-tmp", false);
    check(modified, "/p/.taskmaster/state.json", false);
    check(EventKind::Access(AccessKind::Any), "/p/.taskmaster/tasks/tasks.json", false);
}
