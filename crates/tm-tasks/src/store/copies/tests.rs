use proptest::prelude::*;

use super::*;

fn keep(copies: &Copies, text: &[u8], base: Option<&[u8]>) -> String {
    let sha256 = sha256_hex(text);
    let of_base = base.map(sha256_hex);
    let base = base.zip(of_base.as_deref()).map(|(text, sha256)| Base { sha256, text });
    copies.keep(&sha256, text, base).unwrap();
    sha256
}

fn version(number: usize) -> Vec<u8> {
    format!("{}{number}{}", "a".repeat(10_000), "b".repeat(10_000)).into_bytes()
}

proptest! {
    // Each goes to the disk.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_text_kept_as_a_patch_reads_as_it_was(one in "[ab]{0,40}", other in "[ab]{0,40}") {
        let folder = tempfile::tempdir().unwrap();
        let copies = Copies::new(folder.path().to_path_buf());
        keep(&copies, one.as_bytes(), None);
        let sha256 = keep(&copies, other.as_bytes(), Some(one.as_bytes()));
        prop_assert_eq!(copies.read(&sha256, None).unwrap(), other.as_bytes());
    }

    #[test]
    fn changes_are_taken_back_without_a_whole_text(texts in prop::collection::vec("[ab]{0,40}", 2..6)) {
        let folder = tempfile::tempdir().unwrap();
        let copies = Copies::new(folder.path().to_path_buf());
        let first = keep(&copies, texts[0].as_bytes(), None);
        for pair in texts.windows(2) {
            keep(&copies, pair[1].as_bytes(), Some(pair[0].as_bytes()));
        }
        let text = texts[texts.len() - 1].as_bytes();
        let near = Some(Base { sha256: &sha256_hex(text), text });
        fs::write(copies.whole(&first), "damaged").unwrap();
        let was_there_twice = (1..texts.len()).any(|it| texts[..it].contains(&texts[it]));
        let read = copies.read(&first, near);
        prop_assert!(was_there_twice || read.is_ok_and(|it| it == texts[0].as_bytes()));
    }
}

#[test]
fn a_small_change_of_a_large_text_takes_little_space() {
    let folder = tempfile::tempdir().unwrap();
    let copies = Copies::new(folder.path().to_path_buf());
    let noise: Vec<String> = (0..20_000_u32).map(|it| sha256_hex(&it.to_le_bytes())).collect();
    let (one, other) = (noise.join(" "), noise.join(" ").replacen('0', "zero", 1));
    keep(&copies, one.as_bytes(), None);
    let sha256 = keep(&copies, other.as_bytes(), Some(one.as_bytes()));
    let size = fs::metadata(copies.patch(&sha256)).unwrap().len();
    assert!(size < 1000, "{size} bytes");
}

#[test]
fn patches_do_not_pile_up_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let copies = Copies::new(folder.path().to_path_buf());
    keep(&copies, &version(0), None);
    for number in 1..100 {
        keep(&copies, &version(number), Some(&version(number - 1)));
    }
    let whole = (0..100).filter(|it| copies.whole(&sha256_hex(&version(*it))).exists());
    assert_eq!(whole.count(), 3);
    assert_eq!(copies.read(&sha256_hex(&version(99)), None).unwrap(), version(99));
}

#[test]
fn what_a_kept_patch_stands_on_is_kept_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let copies = Copies::new(folder.path().to_path_buf());
    let unrelated = keep(&copies, b"unrelated", None);
    keep(&copies, &version(0), None);
    keep(&copies, &version(1), Some(&version(0)));
    let last = keep(&copies, &version(2), Some(&version(1)));
    copies.retain(iter::once(&*last)).unwrap();
    assert_eq!(copies.read(&last, None).unwrap(), version(2));
    assert!(copies.read(&unrelated, None).is_err());
}

#[test]
fn a_damaged_patch_is_an_error_and_not_another_text() {
    let folder = tempfile::tempdir().unwrap();
    let copies = Copies::new(folder.path().to_path_buf());
    keep(&copies, &version(0), None);
    let sha256 = keep(&copies, &version(1), Some(&version(0)));
    let path = copies.patch(&sha256);
    let bytes = fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&bytes).replacen("10000", "10001", 1);
    for broken in [&b"{}\n"[..], b"", text.as_bytes()] {
        fs::write(&path, broken).unwrap();
        assert!(copies.read(&sha256, None).is_err());
    }
}

#[test]
fn patches_that_stand_on_each_other_end() {
    let folder = tempfile::tempdir().unwrap();
    let copies = Copies::new(folder.path().to_path_buf());
    keep(&copies, b"one", None);
    let sha256 = keep(&copies, b"other", Some(b"one"));
    let own = Patch { base: sha256.clone(), before: 0, after: 0, depth: 1, piece: None };
    let bytes = [serde_json::to_vec(&own).unwrap(), b"\n".to_vec(), deflate(b"").unwrap()];
    fs::write(copies.patch(&sha256), bytes.concat()).unwrap();
    assert!(copies.read(&sha256, None).is_err());
    copies.retain(iter::once(&*sha256)).unwrap();
}
