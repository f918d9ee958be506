use super::*;

fn package(folder: &Path, name: &str, microjoules: u64) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("name"), format!("{name}\n")).unwrap();
    fs::write(folder.join("energy_uj"), format!("{microjoules}\n")).unwrap();
    fs::write(folder.join("max_energy_range_uj"), "262143328850\n").unwrap();
}

#[test]
fn packages_are_added_up_also_where_a_count_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("rapl:0"), folder.path().join("rapl:1"));
    package(&one, "package-0", 1_000_000);
    package(&other, "package-1", 262_143_000_000);
    package(&folder.path().join("rapl:0:0"), "core", 5);
    package(&folder.path().join("rapl-mmio:0"), "package-0", 1_000_000);
    let before = Energy::now(folder.path()).unwrap();
    package(&one, "package-0", 3_500_000);
    package(&folder.path().join("rapl-mmio:0"), "package-0", 3_500_000);
    package(&other, "package-1", 671_150);
    let spent = before.since().unwrap();
    assert!((spent - 3.5).abs() < 1e-9, "{spent}");
}

#[test]
fn nothing_is_said_where_nothing_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Energy::now(folder.path()).is_none());
    assert!(Energy::now(&folder.path().join("gone")).is_none());
    let one = folder.path().join("rapl:0");
    package(&one, "package-0", 1);
    let before = Energy::now(folder.path()).unwrap();
    fs::remove_dir_all(&one).unwrap();
    assert_eq!(before.since(), None);
}
