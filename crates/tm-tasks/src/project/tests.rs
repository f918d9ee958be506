//! Which directory a project is in.

use super::*;

/// `check("a/.git/ a/.taskmaster/config.json", "a/b", "a")`: files and, with a slash, directories.
#[track_caller]
fn check(tree: &str, start: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    for path in tree.split_whitespace() {
        let full = folder.path().join(path);
        if path.ends_with('/') {
            fs::create_dir_all(full).unwrap();
        } else {
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            fs::write(full, "{}").unwrap();
        }
    }
    let start = folder.path().join(start);
    fs::create_dir_all(&start).unwrap();
    let project = Project::discover(&start);
    assert_eq!(project.root().strip_prefix(folder.path()), Ok(Path::new(expected)));
}

#[test]
fn a_project_is_found_from_below() {
    check("p/.taskmaster/config.json", "p", "p");
    check("p/.taskmaster/config.json", "p/src/deep/er", "p");
    check("p/.taskmaster/tasks/tasks.json", "p/src", "p");
    check("p/.git/ p/.taskmaster/", "p/src/deep", "p");
    check("p/.taskmasterconfig", "p/src", "p");
}

#[test]
fn the_nearest_project_wins() {
    check("p/.taskmaster/config.json p/q/.taskmaster/config.json", "p/q/src", "p/q");
    check("p/.taskmaster/config.json p/q/.taskmaster/", "p/q", "p/q");
}

#[test]
fn nested_repositories_and_packages_do_not_hide_the_project() {
    check("p/.taskmaster/config.json p/q/.git/", "p/q/src", "p");
    check("p/.taskmaster/config.json p/q/package.json", "p/q", "p");
}

#[test]
fn a_bare_directory_above_is_no_project() {
    check("home/.taskmaster/sessions/ home/p/.git/", "home/p/src", "home/p");
}

#[test]
fn tasks_from_before_the_layout_are_found() {
    check("p/tasks/tasks.json", "p/src", "p");
    check("p/tasks.json p/src/.git/", "p/src/deep", "p");
}

#[test]
fn without_a_project_the_nearest_repository_or_package_counts() {
    check("p/.git/ p/q/Cargo.toml", "p/q/src", "p/q");
    check("p/.git/", "p/q/src", "p");
}

#[test]
fn files_lie_in_the_layout_unless_only_early_ones_exist() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::at(folder.path());
    let name = |path: PathBuf| path.strip_prefix(folder.path()).unwrap().display().to_string();
    assert!(!project.exists());
    assert_eq!(name(project.tasks_file()), ".taskmaster/tasks/tasks.json");
    assert_eq!(name(project.config_file()), ".taskmaster/config.json");
    fs::write(folder.path().join("tasks.json"), "{}").unwrap();
    fs::write(folder.path().join(".taskmasterconfig"), "{}").unwrap();
    assert!(project.exists());
    assert_eq!(name(project.tasks_file()), "tasks.json");
    assert_eq!(name(project.config_file()), ".taskmasterconfig");
    fs::create_dir(folder.path().join("tasks")).unwrap();
    fs::write(folder.path().join("tasks/tasks.json"), "{}").unwrap();
    assert_eq!(name(project.tasks_file()), "tasks/tasks.json");
    fs::create_dir_all(project.directory().join("tasks")).unwrap();
    fs::write(project.directory().join("tasks/tasks.json"), "{}").unwrap();
    fs::write(project.directory().join("config.json"), "{}").unwrap();
    assert_eq!(name(project.tasks_file()), ".taskmaster/tasks/tasks.json");
    assert_eq!(name(project.config_file()), ".taskmaster/config.json");
}

#[test]
fn the_requirements_document_is_looked_for_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::at(folder.path());
    assert_eq!(project.requirements_file(), None);
    for path in ["prd.txt", "scripts/prd.md", ".taskmaster/docs/prd.txt", ".taskmaster/docs/PRD.md"]
    {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        assert_eq!(project.requirements_file(), Some(path));
    }
}

#[test]
fn projects_of_the_same_name_have_directories_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let dirs = ["a/shop", "b/shop"].map(|it| {
        let root = folder.path().join(it);
        fs::create_dir_all(&root).unwrap();
        Project::at(root).private_dir(Path::new("/state"))
    });
    assert_ne!(dirs[0], dirs[1]);
    assert!(dirs[0].to_str().unwrap().starts_with("/state/shop-"));
}
