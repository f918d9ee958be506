//! Gives the pages of the program's own file back that nobody needs while a server waits.
//!
//! A start comes by much of the program once, and the kernel keeps what it mapped for that: most
//! of what a server that waits would be seen to use. What is needed again is mapped again from the
//! kernel's cache of the file. The only place with unsafe code. Start at [`give_back_code`].

use std::{env, ffi::c_void, fs, ops::Range, ptr};

use rustix::mm::{Advice, madvise};

/// Forgets the pages of this program's code and constants. What cannot be forgotten stays.
#[expect(unsafe_code, reason = "there is no other way to tell the kernel")]
pub fn give_back_code() {
    let (Ok(program), Ok(map)) = (env::current_exe(), fs::read_to_string("/proc/self/smaps"))
    else {
        return;
    };
    let Some(program) = program.to_str() else { return };
    for pages in untouched(&map, program) {
        let start = ptr::with_exposed_provenance_mut::<c_void>(pages.start);
        // SAFETY: these pages are a private mapping of a file, may not be written, and the kernel
        // says that none of them was: relocations are done, and nobody makes them writable later.
        // Whoever comes by one that was forgotten is given the same bytes of the same file, which
        // cannot be changed while it runs. The kernel does the same by itself when memory is short.
        let forgotten = unsafe { madvise(start, pages.len(), Advice::LinuxDontNeed) };
        if let Err(error) = forgotten {
            tracing::debug!(%error, "the program's code stays in memory");
        }
    }
}

/// Where a map of memory (`smaps` of proc(5)) has what is as `program` has it on the disk: not
/// writable, and no page of it was written before it became so.
fn untouched(map: &str, program: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut place = None;
    for line in map.lines() {
        if let Some(begun) = begun(line) {
            place = Some(begun).filter(|_| is_read_only(line, program));
        } else if line.split_whitespace().eq(["Anonymous:", "0", "kB"]) {
            found.extend(place.take());
        }
    }
    found
}

/// The addresses at the beginning of a line that begins an entry.
fn begun(line: &str) -> Option<Range<usize>> {
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    let address = |it| usize::from_str_radix(it, 16).ok();
    Some(address(start)?..address(end)?)
}

/// Whether such a line is about a part of `program` that may not be written.
fn is_read_only(line: &str, program: &str) -> bool {
    let mut words = line.splitn(6, ' ').skip(1);
    let is_read_only = words.next().is_some_and(|it| it == "r-xp" || it == "r--p");
    is_read_only && words.last().is_some_and(|it| it.trim_start() == program)
}

#[cfg(test)]
mod tests;
