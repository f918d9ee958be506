//! The energy that the processor took, where the kernel says it.
//!
//! Linux counts it in `/sys/class/powercap` (RAPL) for each package, in microjoules from 0 to a
//! limit and from 0 again; most systems let nobody but root read it. Of the machine, not of a process:
//! what else runs is counted as well.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the kernel counts.
pub(super) const POWERCAP: &str = "/sys/class/powercap";

/// The counts of all packages at one moment.
#[derive(Debug, Clone)]
pub(super) struct Energy {
    packages: Vec<Package>,
}

#[derive(Debug, Clone)]
struct Package {
    folder: PathBuf,
    microjoules: u64,
    /// Where the count begins again.
    most: u64,
}

impl Energy {
    /// Nothing where no package can be read.
    pub(super) fn now(powercap: &Path) -> Option<Self> {
        let folders = fs::read_dir(powercap).ok()?;
        let folders = folders.filter_map(|it| Some(it.ok()?.path()));
        let packages: Vec<Package> = folders.filter_map(Package::read).collect();
        (!packages.is_empty()).then_some(Self { packages })
    }

    /// Joules since then; nothing where a package cannot be read any more.
    pub(super) fn since(&self) -> Option<f64> {
        let spent = self.packages.iter().map(Package::spent).sum::<Option<u64>>()?;
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 microjoules")]
        Some(spent as f64 / 1e6)
    }
}

impl Package {
    /// Cores and memory inside of a package are counted with it.
    fn read(folder: PathBuf) -> Option<Self> {
        let is_package = fs::read_to_string(folder.join("name")).ok()?.starts_with("package");
        let (microjoules, most) =
            (number(&folder, "energy_uj")?, number(&folder, "max_energy_range_uj")?);
        is_package.then_some(Self { folder, microjoules, most })
    }

    fn spent(&self) -> Option<u64> {
        let now = number(&self.folder, "energy_uj")?;
        let turned = if now < self.microjoules { self.most } else { 0 };
        Some((now + turned).saturating_sub(self.microjoules))
    }
}

fn number(folder: &Path, file: &str) -> Option<u64> {
    fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
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
        let before = Energy::now(folder.path()).unwrap();
        package(&one, "package-0", 3_500_000);
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
}
