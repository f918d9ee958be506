//! Archives for tests, as the openZIM format describes them.

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// Numbers of kinds.
pub(crate) const HTML: u16 = 0;
pub(crate) const TEXT: u16 = 1;
pub(crate) const STYLE: u16 = 2;

const KINDS: &[u8] = b"text/html; charset=utf-8\0Text/plain\0text/css\0\0";

struct Made {
    namespace: u8,
    kind: u16,
    place: (u32, u32),
    path: String,
    title: String,
}

/// An archive in the making.
pub(crate) struct Maker {
    version: (u16, u16),
    entries: Vec<Made>,
    clusters: Vec<Vec<u8>>,
}

/// An archive with a page in each cluster: paths, titles and what they say.
pub(crate) fn wiki(pages: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut maker = Maker::new((6, 1));
    for (path, title, text) in pages {
        let cluster = maker.cluster(5, &[text]);
        maker.entry(b'C', HTML, (cluster, 0), (path, title));
    }
    maker.bytes()
}

impl Maker {
    pub(crate) fn new(version: (u16, u16)) -> Self {
        Self { version, entries: Vec::new(), clusters: Vec::new() }
    }

    /// Adds a cluster whose first byte is `info`, and tells its number.
    pub(crate) fn cluster(&mut self, info: u8, blobs: &[&str]) -> u32 {
        let width = if info & 0x10 == 0 { 4 } else { 8 };
        let mut at = (blobs.len() as u64 + 1) * width;
        let (mut list, mut text) = (Vec::new(), Vec::<u8>::new());
        for blob in blobs.iter().chain(&[""]) {
            list.extend(&at.to_le_bytes()[..usize::try_from(width).unwrap()]);
            text.extend(blob.as_bytes());
            at += blob.len() as u64;
        }
        list.extend(text);
        if info & 0x0f == 5 {
            list = compress_to_vec(list.as_slice(), CompressionLevel::Fastest);
        }
        self.packed(&[&[info], list.as_slice()].concat())
    }

    /// Adds a cluster as it is.
    pub(crate) fn packed(&mut self, cluster: &[u8]) -> u32 {
        self.clusters.push(cluster.to_vec());
        u32::try_from(self.clusters.len()).unwrap() - 1
    }

    pub(crate) fn entry(
        &mut self,
        namespace: u8,
        kind: u16,
        place: (u32, u32),
        (path, title): (&str, &str),
    ) {
        let (path, title) = (path.to_owned(), title.to_owned());
        self.entries.push(Made { namespace, kind, place, path, title });
    }

    pub(crate) fn bytes(mut self) -> Vec<u8> {
        self.entries.sort_by(|a, b| (a.namespace, &a.path).cmp(&(b.namespace, &b.path)));
        let mut body = KINDS.to_vec();
        let at = |body: &Vec<u8>| (body.len() as u64 + 80).to_le_bytes();
        let mut entries_at = Vec::new();
        for entry in &self.entries {
            entries_at.extend(at(&body));
            body.extend(entry.kind.to_le_bytes());
            body.extend([0, entry.namespace, 0, 0, 0, 0]);
            match entry.kind {
                0xffff => body.extend([0; 4]),
                0xfffd | 0xfffe => {}
                _ => {
                    body.extend(entry.place.0.to_le_bytes());
                    body.extend(entry.place.1.to_le_bytes());
                }
            }
            body.extend(format!("{}\0{}\0", entry.path, entry.title).as_bytes());
        }
        let mut clusters_at = Vec::new();
        for cluster in &self.clusters {
            clusters_at.extend(at(&body));
            body.extend(cluster);
        }
        let entries_list = at(&body);
        body.extend(entries_at);
        let clusters_list = at(&body);
        body.extend(clusters_at);
        let mut bytes = super::MAGIC.to_vec();
        bytes.extend(self.version.0.to_le_bytes());
        bytes.extend(self.version.1.to_le_bytes());
        bytes.extend([7; 16]);
        bytes.extend(u32::try_from(self.entries.len()).unwrap().to_le_bytes());
        bytes.extend(u32::try_from(self.clusters.len()).unwrap().to_le_bytes());
        bytes.extend(entries_list);
        bytes.extend([0xff; 8]);
        bytes.extend(clusters_list);
        bytes.extend(80_u64.to_le_bytes());
        bytes.extend([0xff; 8]);
        bytes.extend(at(&body));
        bytes.extend(body);
        // For the checksum, which nobody checks.
        bytes.extend([0; 16]);
        bytes
    }
}
