use std::{fs, path::PathBuf};

use proptest::prelude::*;

use super::{
    made::{HTML, Maker, STYLE, TEXT, wiki},
    *,
};

fn archive(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wiki.zim");
    fs::write(&file, bytes).unwrap();
    (directory, file)
}

fn read(bytes: &[u8]) -> Result<Vec<Result<Page, Unreadable>>, Unreadable> {
    let (_directory, file) = archive(bytes);
    Ok(pages(&file)?.collect())
}

/// Names, titles and texts of all pages; none of them may be damaged.
#[track_caller]
fn told(bytes: &[u8]) -> Vec<(String, Option<String>, String)> {
    let pages = read(bytes).unwrap().into_iter().map(Result::unwrap);
    pages.map(|it| (it.name, it.title, String::from_utf8(it.bytes).unwrap())).collect()
}

fn why(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

fn mixed(version: (u16, u16), namespace: u8, info: u8) -> Vec<u8> {
    let mut maker = Maker::new(version);
    let other = maker.cluster(0, &["p{}"]);
    let cluster = maker.cluster(info, &["<p>Rye.", "", "Barley.", "<p>Made by us."]);
    maker.entry(namespace, HTML, (cluster, 0), ("bread/rye", "Rye \n bread"));
    maker.entry(namespace, TEXT, (cluster, 2), ("barley.txt", ""));
    maker.entry(namespace, STYLE, (other, 0), ("style.css", ""));
    maker.entry(namespace, 0xffff, (0, 0), ("loaf", "Loaf"));
    maker.entry(namespace, 0xfffe, (0, 0), ("target", ""));
    maker.entry(namespace, 0xfffd, (0, 0), ("gone", ""));
    maker.entry(namespace, 9, (cluster, 0), ("of no kind", ""));
    maker.entry(b'M', TEXT, (cluster, 3), ("Creator", ""));
    maker.bytes()
}

#[test]
fn pages_are_read_and_pictures_redirects_and_notes_of_the_archive_are_not() {
    #[track_caller]
    fn check(version: (u16, u16), namespace: u8, info: u8) {
        let bytes = mixed(version, namespace, info);
        let expected = [
            ("bread/rye".to_owned(), Some("Rye bread".to_owned()), "<p>Rye.".to_owned()),
            ("barley.txt".to_owned(), None, "Barley.".to_owned()),
        ];
        assert_eq!(told(&bytes), expected, "{version:?} {info}");
        let kinds: Vec<Kind> =
            read(&bytes).unwrap().into_iter().map(|it| it.unwrap().kind).collect();
        assert_eq!(kinds, [Kind::Html, Kind::Text]);
    }
    for info in [0, 1, 5, 0x11, 0x15] {
        check((6, 1), b'C', info);
        check((6, 3), b'C', info);
        check((6, 0), b'A', info);
        check((5, 0), b'A', info);
    }
}

#[test]
fn a_page_is_found_by_its_name_alone() {
    let names: Vec<String> = (0..300).map(|it| format!("page/{it}")).collect();
    let pages: Vec<(&str, &str, &str)> =
        names.iter().map(|it| (it.as_str(), "", it.as_str())).collect();
    let (_directory, file) = archive(&wiki(&pages));
    let mut zim = Zim::open(&file).unwrap();
    for name in &names {
        assert_eq!(zim.find(name).as_deref(), Some(name.as_bytes()));
    }
    for name in ["", "page", "page/300", "page/-", "zz"] {
        assert_eq!(zim.find(name), None, "{name}");
    }
    let (_directory, file) = archive(&mixed((6, 1), b'C', 5));
    let mut zim = Zim::open(&file).unwrap();
    assert_eq!(zim.find("barley.txt").as_deref(), Some(&b"Barley."[..]));
    assert_eq!(zim.find("loaf"), None);
}

#[test]
fn every_cluster_is_unpacked_once() {
    let text = "rye ".repeat(1000);
    let mut maker = Maker::new((6, 1));
    let clusters = [5, 5, 5].map(|info| maker.cluster(info, &[text.as_str(); 50]));
    for number in 0..150_u32 {
        let place = (clusters[number as usize % 3], number / 3);
        maker.entry(b'C', HTML, place, (&format!("{number:03}"), ""));
    }
    let (_directory, file) = archive(&maker.bytes());
    let mut pages = pages(&file).unwrap();
    assert_eq!(pages.by_ref().flatten().count(), 150);
    // Each page once in its cluster and once as it was handed out; packed bytes and lists are few.
    let spent = pages.archive.spent;
    assert!((1_200_000..1_300_000).contains(&spent), "{spent}");
}

#[test]
fn a_damaged_cluster_takes_no_other_pages_with_it() {
    let mut maker = Maker::new((6, 1));
    let broken = maker.packed(b"\x05\x28\xb5\x2f\xfdnothing");
    let whole = maker.cluster(5, &["<p>Rye."]);
    for path in ["a", "b"] {
        maker.entry(b'C', HTML, (broken, 0), (path, ""));
    }
    maker.entry(b'C', HTML, (whole, 0), ("c", ""));
    maker.entry(b'C', HTML, (whole, 1), ("behind the last", ""));
    maker.entry(b'C', HTML, (99, 0), ("in no cluster", ""));
    let pages = read(&maker.bytes()).unwrap();
    let fine: Vec<_> = pages.iter().flatten().map(|it| it.name.as_str()).collect();
    assert_eq!((fine.as_slice(), pages.len()), (&["c"][..], 5));
}

#[test]
fn what_is_no_archive_or_has_too_much_in_it_is_an_error() {
    #[track_caller]
    fn check(change: impl Fn(&mut Vec<u8>), expected: &str) {
        let mut bytes = wiki(&[("rye", "", "<p>Rye.")]);
        change(&mut bytes);
        let why = why(&bytes);
        assert!(why.contains(expected), "{why}");
    }
    check(|it| it.truncate(79), "cut off");
    check(|it| it[0] = 0, "does not begin");
    check(|it| it[4] = 7, "version 7");
    check(|it| it[28..32].fill(0xff), "cut off");
    check(|it| it[32..40].fill(0xff), "cut off");
    let many = u32::to_le_bytes(MOST_ENTRIES + 1);
    let enough = |it: &mut Vec<u8>| {
        it.resize(usize::try_from(MOST_ENTRIES).unwrap() * 8 + 4000, 0);
        it[24..28].copy_from_slice(&many);
    };
    check(enough, "take a selection");
}

#[test]
fn more_pages_than_are_read_are_an_error_before_any_is() {
    let mut bytes = wiki(&[("rye", "", "<p>Rye.")]);
    // The same entry again and again.
    let list = usize::try_from(u64::from_le_bytes(bytes[32..40].try_into().unwrap())).unwrap();
    let entry = bytes[list..list + 8].to_vec();
    let at = (bytes.len() as u64).to_le_bytes();
    bytes[32..40].copy_from_slice(&at);
    bytes[24..28].copy_from_slice(&500_001_u32.to_le_bytes());
    bytes.extend(entry.repeat(500_001));
    assert!(why(&bytes).contains("more than 500000 pages; take a selection"), "{}", why(&bytes));
}

#[test]
fn a_page_that_is_handed_out_again_and_again_ends() {
    let page = "rye ".repeat(500_000);
    let mut maker = Maker::new((6, 1));
    let cluster = maker.cluster(5, &[&page]);
    for number in 0..1000 {
        maker.entry(b'C', HTML, (cluster, 0), (&number.to_string(), ""));
    }
    let (_directory, file) = archive(&maker.bytes());
    let mut last = None;
    let handed_out = pages(&file).unwrap().inspect(|it| last = Some(it.is_ok())).count();
    assert!(handed_out < 150, "{handed_out}");
    assert_eq!(last, Some(false));
}

#[test]
fn only_files_with_the_magic_of_an_archive_are_one() {
    let (directory, file) = archive(&wiki(&[]));
    assert!(is_archive(&file));
    let wiki_page = directory.path().join("notebook.zim");
    fs::write(&wiki_page, "[Notebook]\nname=Notes\n").unwrap();
    assert!(!is_archive(&wiki_page));
    let part = directory.path().join("wiki.zimaa");
    fs::copy(&file, &part).unwrap();
    assert!(!is_archive(&part) && is_first_part(&part));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn a_damaged_archive_never_stops_the_program(
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
        info in proptest::sample::select(vec![0_u8, 5, 0x15]),
    ) {
        let mut bytes = mixed((6, 1), b'C', info);
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        // None can be more than there is.
        let read = read(&bytes).map_or(0, |it| it.len());
        prop_assert!(read <= 1_000, "{read}");
        let (_directory, file) = archive(&bytes);
        if let Ok(mut zim) = Zim::open(&file) {
            prop_assert!(zim.find("bread/rye").is_none_or(|it| it.len() < bytes.len()));
        }
    }
}
