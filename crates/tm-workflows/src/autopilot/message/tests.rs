use super::scope;

#[test]
fn the_scope_is_where_most_files_are() {
    #[track_caller]
    fn check(files: &[&str], expected: &str) {
        let files: Vec<String> = files.iter().map(ToString::to_string).collect();
        assert_eq!(scope(&files), expected, "{files:?}");
    }
    check(&[], "repo");
    check(&["src/oven.rs"], "repo");
    check(&["src/cli/bake.rs", "tests/bake.rs"], "cli");
    check(&["tests/bake.rs", "src/bake.test.ts", "src/cli/bake.ts"], "test");
    check(&["Cargo.toml", "Cargo.lock"], "deps");
    check(&["README.md", "docs/guide.txt"], "docs");
    check(&[".gitignore", "vite.config.ts", "ci/build.yml"], "config");
    check(&["packages/mcp-server/index.ts"], "mcp");
    check(&["src/workflow/step.rs"], "workflow");
    check(&["src/git.rs"], "git");
    check(&["src/storage/file.rs"], "storage");
    check(&["src/auth/login.rs"], "auth");
    check(&["core/oven.rs"], "core");
    check(&[".taskmaster/tasks/tasks.json", "src/cli/bake.rs"], "cli");
    check(&[".taskmaster/tasks/tasks.json"], "repo");
}
