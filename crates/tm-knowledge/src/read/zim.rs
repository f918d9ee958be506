//! ZIM archives, in which Kiwix hands out Wikipedia, Stack Exchange and other sites.
//!
//! An archive has a header, a list of entries ordered by their paths, and clusters, which hold what the
//! entries say, packed. An archive can have tens of GB, so it is never read whole: entries are gone through
//! in the order of their clusters, each of which is unpacked once. Nothing that an archive says about
//! itself is believed: what does not fit is an error. Start at [`pages`] and [`Zim::find`].

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
    vec,
};

use self::{
    block::Block,
    cluster::Cluster,
    entry::{Entry, LONGEST_ENTRY},
};
use super::{Kind, Unreadable, archive::Page};

mod block;
mod cluster;
mod entry;

/// No archive that Kiwix hands out has as much.
pub(crate) const LARGEST_BYTES: u64 = 300_000_000_000;

/// What to do with an archive in parts.
pub(crate) const JOIN_PARTS: &str =
    "it is the first part of a ZIM archive; join its parts in their order to one file (.zim)";

/// More pages would not be found quickly any more, and take days to read.
const MOST_PAGES: usize = 500_000;
/// With pictures, redirects and whatever else is no page.
const MOST_ENTRIES: u32 = 5_000_000;
/// An archive with more damaged entries is not worth its time.
const MOST_DAMAGED: usize = 1000;

/// What unpacks to more than so many times its size was made to do harm; small ones may have more.
const MOST_TIMES: u64 = 100;
const ALWAYS_ALLOWED: u64 = 256_000_000;

const MAGIC: [u8; 4] = 72_173_914_u32.to_le_bytes();
const HEADER_BYTES: usize = 80;
const KINDS_BYTES: usize = 65_536;
/// How much of the list of entries is read at once when all are.
const AHEAD: usize = 65_536;
/// Most entries are shorter.
const SHORT_ENTRY: usize = 512;

/// An open archive.
pub(crate) struct Zim {
    file: File,
    len: u64,
    entries: u32,
    clusters: u32,
    /// Where the lists of where the entries and the clusters are begin.
    entries_at: u64,
    clusters_at: u64,
    /// Of pages; others have pictures and what the archive says about itself.
    namespace: u8,
    /// What the kinds of entries are read as; none for what is no page.
    kinds: Vec<Option<Kind>>,
    pointers: Block,
    read: Block,
    unpacked: Option<(u32, Result<Cluster, Unreadable>)>,
    /// Bytes that were unpacked or handed out.
    spent: u64,
}

/// Where a page is, in the order in which pages are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    cluster: u32,
    blob: u32,
    entry_at: u64,
}

/// The pages of an archive, in the order of its clusters.
pub(crate) struct Pages {
    archive: Zim,
    places: vec::IntoIter<Place>,
    notice: Option<Unreadable>,
}

/// Whether a file has a name as archives have.
pub(crate) fn is_called_so(file: &Path) -> bool {
    file.extension().is_some_and(|it| it.eq_ignore_ascii_case("zim"))
}

/// Whether a file is an archive: those of a wiki program are called so, too.
pub(crate) fn is_archive(file: &Path) -> bool {
    is_called_so(file) && has_magic(file)
}

/// Whether a file is the first one of an archive that was cut in parts.
pub(crate) fn is_first_part(file: &Path) -> bool {
    file.extension().is_some_and(|it| it.eq_ignore_ascii_case("zimaa")) && has_magic(file)
}

fn has_magic(file: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let read = File::open(file).and_then(|mut it| it.read_exact(&mut start));
    read.is_ok() && start == MAGIC
}

/// Finds the pages of an archive; they are read when they are asked for.
///
/// # Errors
/// When it is none, or has more in it than it may.
pub(crate) fn pages(file: &Path) -> Result<Pages, Unreadable> {
    let mut archive = Zim::open(file)?;
    (archive.pointers, archive.read) = (Block::ahead(AHEAD), Block::ahead(AHEAD));
    let (places, damaged) = archive.places()?;
    // From here on entries are not asked for in their order.
    archive.read = Block::ahead(0);
    let notice = format!("{damaged} of its entries are damaged");
    let notice = (damaged > 0).then_some(Unreadable::NotZim(notice));
    Ok(Pages { archive, places: places.into_iter(), notice })
}

impl Zim {
    /// Opens an archive.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn open(file: &Path) -> Result<Self, Unreadable> {
        let file = File::open(file).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let (mut pointers, mut read) = (Block::ahead(0), Block::ahead(0));
        let header = read.at(&file, 0, HEADER_BYTES).map_err(failed)?;
        let number = |at: usize| number(header, at).ok_or_else(|| damaged("its header is cut off"));
        let place = |at: usize| Ok(u64::from(number(at)?) | u64::from(number(at + 4)?) << 32);
        if header.first_chunk() != Some(&MAGIC) {
            return Err(damaged("it does not begin as one"));
        }
        let version = number(4)?;
        let (major, minor) = (version & 0xffff, version >> 16);
        if !(5..=6).contains(&major) {
            return Err(Unreadable::NotZim(format!(
                "it is of version {major}, which is not known"
            )));
        }
        let (entries, clusters) = (number(24)?, number(28)?);
        let (entries_at, clusters_at, kinds_at) = (place(32)?, place(48)?, place(56)?);
        let fits = |at: u64, count: u32| {
            at.checked_add(u64::from(count) * 8).is_some_and(|end| end <= len)
        };
        if !fits(entries_at, entries) || !fits(clusters_at, clusters) {
            return Err(damaged("its lists are cut off"));
        }
        if entries > MOST_ENTRIES {
            return Err(too_many(&format!("it has {entries} entries")));
        }
        let namespace = if major == 6 && minor >= 1 { b'C' } else { b'A' };
        let kinds = kinds(pointers.at(&file, kinds_at, KINDS_BYTES).map_err(failed)?);
        let (unpacked, spent) = (None, 0);
        pointers = Block::ahead(0);
        Ok(Self {
            file,
            len,
            entries,
            clusters,
            entries_at,
            clusters_at,
            namespace,
            kinds,
            pointers,
            read,
            unpacked,
            spent,
        })
    }

    /// What a page says; none when there is no such page.
    pub(crate) fn find(&mut self, name: &str) -> Option<Vec<u8>> {
        let wanted = (self.namespace, name.as_bytes());
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = low + (high - low) / 2;
            let at = self.entry_at(middle)?;
            let entry = self.entry(at)?;
            if (entry.namespace, entry.path) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let at = (low < self.entries).then_some(low).and_then(|it| self.entry_at(it))?;
        let entry = self.entry(at)?;
        let (cluster, blob) = entry.place.filter(|_| (entry.namespace, entry.path) == wanted)?;
        self.blob(cluster, blob).ok()
    }

    /// Where all pages are, and how many entries are damaged.
    fn places(&mut self) -> Result<(Vec<Place>, usize), Unreadable> {
        let (mut places, mut broken) = (Vec::new(), 0);
        for number in 0..self.entries {
            let entry_at = self.entry_at(number).ok_or_else(|| damaged("its lists are cut off"))?;
            let namespace = self.namespace;
            match self.entry(entry_at) {
                Some(Entry { place: Some((cluster, blob)), kind, namespace: of, .. }) => {
                    if of == namespace && self.kind(kind).is_some() {
                        places.push(Place { cluster, blob, entry_at });
                    }
                }
                Some(_) => {}
                None => broken += 1,
            }
            if places.len() > MOST_PAGES {
                return Err(too_many(&format!("it has more than {MOST_PAGES} pages")));
            }
            if broken > MOST_DAMAGED {
                return Err(damaged("too many of its entries are damaged"));
            }
        }
        places.sort_unstable();
        Ok((places, broken))
    }

    fn kind(&self, kind: u16) -> Option<Kind> {
        *self.kinds.get(usize::from(kind))?
    }

    fn page(&mut self, place: Place) -> Result<Page, Unreadable> {
        let entry = self.entry(place.entry_at).ok_or_else(|| damaged("an entry is gone"))?;
        let (kind, name) = (entry.kind, String::from_utf8(entry.path.to_vec()));
        let title = String::from_utf8_lossy(entry.title);
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = name.ok().filter(|it| !it.chars().any(char::is_control));
        let name = name.ok_or_else(|| damaged("the name of a page is damaged"))?;
        let kind = self.kind(kind).ok_or_else(|| damaged("an entry is gone"))?;
        let bytes = self.blob(place.cluster, place.blob)?;
        self.spent += bytes.len() as u64;
        Ok(Page { name, title: (!title.is_empty()).then_some(title), kind, bytes })
    }

    fn entry_at(&mut self, number: u32) -> Option<u64> {
        self.pointer(self.entries_at, number)
    }

    fn pointer(&mut self, list: u64, number: u32) -> Option<u64> {
        let bytes = self.pointers.at(&self.file, list + u64::from(number) * 8, 8).ok()?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    fn entry(&mut self, at: u64) -> Option<Entry<'_>> {
        let is_short = Entry::of(self.read.at(&self.file, at, SHORT_ENTRY).ok()?).is_some();
        let len = if is_short { SHORT_ENTRY } else { LONGEST_ENTRY };
        Entry::of(self.read.at(&self.file, at, len).ok()?)
    }

    /// What is at a place; its cluster is unpacked unless it was the last one.
    fn blob(&mut self, number: u32, blob: u32) -> Result<Vec<u8>, Unreadable> {
        if self.unpacked.as_ref().is_none_or(|it| it.0 != number) {
            self.unpacked = None;
            let cluster = self.cluster(number);
            self.unpacked = Some((number, cluster));
        }
        let cluster = self.unpacked.as_ref().map(|it| it.1.as_ref());
        let cluster = cluster.ok_or_else(|| damaged("a cluster is gone"))?.map_err(Clone::clone)?;
        let bytes = cluster.blob(blob).ok_or_else(|| damaged("a page is where nothing is"))?;
        Ok(bytes.to_vec())
    }

    fn cluster(&mut self, number: u32) -> Result<Cluster, Unreadable> {
        let is_there = number < self.clusters;
        let at = is_there.then(|| self.pointer(self.clusters_at, number)).flatten();
        let at = at.filter(|it| *it < self.len);
        let at = at.ok_or_else(|| damaged("a page is where nothing is"))?;
        (&self.file).seek(SeekFrom::Start(at)).map_err(failed)?;
        let limit = cluster::LARGEST_BYTES;
        let mut packed = BufReader::new((&self.file).take(limit));
        let unpacked = Cluster::unpack(&mut packed);
        // What could not be unpacked took as much time as it may.
        let unpacked_bytes = unpacked.as_ref().map_or(limit, Cluster::len);
        self.spent += limit - packed.get_ref().limit() + unpacked_bytes;
        unpacked
    }
}

impl Iterator for Pages {
    type Item = Result<Page, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(notice) = self.notice.take() {
            return Some(Err(notice));
        }
        let place = self.places.next()?;
        let allowed = self.archive.len.saturating_mul(MOST_TIMES).max(ALWAYS_ALLOWED);
        if self.archive.spent > allowed {
            self.places = Vec::new().into_iter();
            return Some(Err(Unreadable::TooLarge));
        }
        Some(self.archive.page(place))
    }
}

/// What entries are read as, by the numbers of their kinds: the list ends with an empty one.
fn kinds(list: &[u8]) -> Vec<Option<Kind>> {
    let names = list.split(|it| *it == 0).take_while(|it| !it.is_empty());
    let kind = |name: &[u8]| {
        let name = name.split(|it| *it == b';').next().unwrap_or_default().trim_ascii();
        match name.to_ascii_lowercase().as_slice() {
            b"text/html" => Some(Kind::Html),
            b"text/plain" => Some(Kind::Text),
            _ => None,
        }
    };
    names.map(kind).collect()
}

/// A number of four bytes.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn failed(error: io::Error) -> Unreadable {
    Unreadable::NotZim(error.to_string())
}

fn damaged(what: &str) -> Unreadable {
    Unreadable::NotZim(what.to_owned())
}

fn too_many(what: &str) -> Unreadable {
    Unreadable::NotZim(format!("{what}; take a selection of it, which Kiwix has of large sites"))
}

#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;
