use super::*;

#[track_caller]
fn check(missing: &[Need], manager: PackageManager, rights: Rights, expected: &[&str]) {
    let lines = match plan(missing, manager, rights) {
        Plan::Ready => vec!["ready".to_owned()],
        Plan::Install(lines) => lines,
        Plan::Type(lines) => lines.into_iter().map(|it| format!("type: {it}")).collect(),
    };
    assert_eq!(lines, expected);
}

#[test]
fn nothing_is_done_where_nothing_is_missing() {
    check(&[], PackageManager::Apt, Rights::Root, &["ready"]);
    check(&[], PackageManager::Unknown, Rights::None, &["ready"]);
}

#[test]
fn apt_installs_what_is_missing_where_it_may() {
    let missing = [Need::Compiler, Need::Libclang];
    let install = "apt-get install -y --no-install-recommends g++ libclang-dev";
    check(
        &missing,
        PackageManager::Apt,
        Rights::Root,
        &[
            "env DEBIAN_FRONTEND=noninteractive apt-get update",
            &format!("env DEBIAN_FRONTEND=noninteractive {install}"),
        ],
    );
    check(
        &missing,
        PackageManager::Apt,
        Rights::Sudo,
        &[
            "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get update",
            &format!("sudo -n env DEBIAN_FRONTEND=noninteractive {install}"),
        ],
    );
    check(
        &missing,
        PackageManager::Apt,
        Rights::None,
        &["type: sudo apt-get update", &format!("type: sudo {install}")],
    );
}

#[test]
fn apples_tools_are_left_to_the_person() {
    check(&[Need::Cmake], PackageManager::Brew, Rights::None, &["brew install cmake"]);
    check(
        &[Need::Compiler, Need::Cmake, Need::Libclang],
        PackageManager::Brew,
        Rights::None,
        &["type: xcode-select --install", "type: brew install cmake"],
    );
}

#[test]
fn other_systems_are_told_what_to_type() {
    let missing = [Need::Compiler, Need::Clang, Need::Libclang];
    let check = |manager, expected| check(&missing, manager, Rights::Root, &[expected]);
    check(PackageManager::Dnf, "type: sudo dnf install gcc-c++ clang clang-devel");
    check(PackageManager::Pacman, "type: sudo pacman -S gcc clang");
    check(PackageManager::Unknown, "type: whatever installs C++ compiler, clang, libclang here");
}

#[test]
fn only_the_library_itself_counts_as_libclang() {
    for name in ["libclang.so", "libclang.so.1", "libclang-14.so.14.0.6", "libclang.dylib"] {
        assert!(is_libclang(name), "{name}");
    }
    for name in ["libclang-cpp.so.14", "libclangAST.a", "libclang.a", "libc.so.6", "libclang"] {
        assert!(!is_libclang(name), "{name}");
    }
}

#[test]
fn a_program_that_nobody_has_is_not_on_the_path() {
    assert!(is_on_path("sh"));
    assert!(!is_on_path("a-program-that-nobody-has"));
}
