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
    name: String,
    microjoules: u64,
    /// Where the count begins again.
    most: u64,
}

impl Energy {
    /// Nothing where no package can be read.
    pub(super) fn now(powercap: &Path) -> Option<Self> {
        let folders = fs::read_dir(powercap).ok()?;
        let folders = folders.filter_map(|it| Some(it.ok()?.path()));
        let mut packages: Vec<Package> = folders.filter_map(Package::read).collect();
        // A package may be counted in two ways, as `intel-rapl:0` and as `intel-rapl-mmio:0`.
        packages.sort_by(|one, other| one.name.cmp(&other.name));
        packages.dedup_by(|one, other| one.name == other.name);
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
        let name = fs::read_to_string(folder.join("name")).ok()?;
        let (microjoules, most) =
            (number(&folder, "energy_uj")?, number(&folder, "max_energy_range_uj")?);
        name.starts_with("package").then_some(Self { folder, name, microjoules, most })
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
mod tests;
