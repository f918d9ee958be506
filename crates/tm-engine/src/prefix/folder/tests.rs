//! Tests of the folder of prefixes, with files in the form of llama.cpp's.

use tempfile::TempDir;

use super::*;

fn folder_of(directory: &TempDir, identity: &str, most_bytes: u64) -> Folder {
    let options = PrefixFolder {
        path: directory.path().join("prefixes"),
        identity: identity.to_owned(),
        most_bytes,
        worth: Duration::ZERO,
    };
    Folder::new(options, "2 threads")
}

fn tokens(range: std::ops::Range<i32>) -> Vec<LlamaToken> {
    range.map(LlamaToken).collect()
}

/// As llama.cpp saves them: two numbers, how many there are, the tokens, what was computed.
fn keep(folder: &Folder, tokens: &[LlamaToken]) -> Option<PathBuf> {
    let draft = folder.draft(tokens).unwrap()?;
    let numbers = [1, 2, i32::try_from(tokens.len()).unwrap()];
    let all = numbers.into_iter().chain(tokens.iter().map(|it| it.0));
    let mut bytes: Vec<u8> = all.flat_map(i32::to_le_bytes).collect();
    bytes.extend([7; 1000]);
    fs::write(&draft.beside, bytes).unwrap();
    folder.finish(&draft).unwrap();
    Some(draft.path)
}

fn common(folder: &Folder, prompt: &[LlamaToken]) -> Option<usize> {
    folder.find(prompt).map(|it| it.common)
}

#[test]
fn the_file_with_most_of_a_prompt_is_found() {
    let directory = TempDir::new().unwrap();
    let folder = folder_of(&directory, "a model", 1 << 20);
    keep(&folder, &[tokens(0..200), tokens(900..1100)].concat());
    let longer = keep(&folder, &[tokens(0..400), tokens(900..1000)].concat()).unwrap();
    let found = folder.find(&tokens(0..2000)).unwrap();
    assert_eq!((found.common, found.tokens, found.path), (400, 500, longer));
    assert_eq!(common(&folder, &tokens(0..250)), Some(250));
    assert_eq!(common(&folder, &tokens(0..100)), None);
    assert_eq!(common(&folder, &tokens(1..2000)), None);
}

#[test]
fn what_another_model_or_machine_computed_is_not_taken() {
    let directory = TempDir::new().unwrap();
    keep(&folder_of(&directory, "a model", 1 << 20), &tokens(0..300)).unwrap();
    let other = folder_of(&directory, "another model", 1 << 20);
    assert_eq!(common(&other, &tokens(0..300)), None);
    let options = other.options.clone();
    let options = PrefixFolder { identity: "a model".to_owned(), ..options };
    assert_eq!(common(&Folder::new(options.clone(), "4 threads"), &tokens(0..300)), None);
    assert_eq!(common(&Folder::new(options, "2 threads"), &tokens(0..300)), Some(300));
}

#[test]
fn a_damaged_file_is_a_miss_and_is_removed() {
    let whole = 12 + 4 * 300 + 1000 + 32;
    let damages: [fn(&mut Vec<u8>); 8] = [
        |it| it.clear(),
        |it| it.truncate(5),
        |it| it.truncate(12 + 4 * 100),
        |it| it.truncate(12 + 4 * 300 + 500),
        |it| it.truncate(it.len() - 1),
        |it| it.push(0),
        |it| it[12 + 4 * 300 + 77] ^= 1,
        |it| it[8..12].fill(0xff),
    ];
    for (index, damage) in damages.iter().enumerate() {
        let directory = TempDir::new().unwrap();
        let path = keep(&folder_of(&directory, "a model", 1 << 20), &tokens(0..300)).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), whole);
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        // Another engine than the one that wrote it.
        let folder = folder_of(&directory, "a model", 1 << 20);
        assert_eq!(common(&folder, &tokens(0..300)), None, "{index}");
        assert!(!path.exists(), "{index}");
    }
}

#[test]
fn a_file_of_somebody_elses_making_under_our_name_is_a_miss() {
    let directory = TempDir::new().unwrap();
    let (ours, theirs) =
        (folder_of(&directory, "ours", 1 << 20), folder_of(&directory, "theirs", 1 << 20));
    let (ours_path, theirs_path) =
        (keep(&ours, &tokens(0..300)).unwrap(), keep(&theirs, &tokens(0..300)).unwrap());
    fs::copy(theirs_path, &ours_path).unwrap();
    assert_eq!(common(&folder_of(&directory, "ours", 1 << 20), &tokens(0..300)), None);
    assert!(!ours_path.exists());
}

#[test]
fn what_is_nearly_there_is_not_kept_again_and_what_goes_on_takes_its_place() {
    let directory = TempDir::new().unwrap();
    let folder = folder_of(&directory, "a model", 1 << 20);
    let short = keep(&folder, &tokens(0..300)).unwrap();
    assert_eq!(keep(&folder, &tokens(0..350)), None);
    let long = keep(&folder, &tokens(0..600)).unwrap();
    assert!(!short.exists() && long.exists());
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let directory = TempDir::new().unwrap();
    let each = 12 + 4 * 300 + 1000 + 32;
    let folder = folder_of(&directory, "a model", 3 * each);
    let prompts: Vec<_> = (1..5).map(|it| tokens(it * 1000..it * 1000 + 300)).collect();
    let aged = |path: &Path, hours| {
        let file = OpenOptions::new().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(hours)).unwrap();
    };
    for (prompt, hours) in prompts.iter().zip([5, 4, 3]) {
        aged(&keep(&folder, prompt).unwrap(), hours);
    }
    assert_eq!(common(&folder, &prompts[0]), Some(300));
    keep(&folder, &prompts[3]).unwrap();
    let there: Vec<_> = prompts.iter().map(|it| common(&folder, it).is_some()).collect();
    assert_eq!(there, [true, false, true, true]);
    aged(&folder.find(&prompts[0]).unwrap().path, 31 * 24);
    keep(&folder, &tokens(0..300)).unwrap();
    assert_eq!(common(&folder, &prompts[0]), None);
    let none = folder_of(&directory, "a model", 10);
    assert!(none.finish(&none.draft(&tokens(7000..7300)).unwrap().unwrap()).is_err());
}

#[test]
fn many_may_write_and_read_at_once() {
    let directory = TempDir::new().unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let directory = &directory;
            scope.spawn(move || {
                for round in 0..20 {
                    let folder = folder_of(directory, "a model", 20_000);
                    let start = (round + writer) % 12 * 1000;
                    let prompt = tokens(start..start + 300);
                    if let Ok(Some(draft)) = folder.draft(&prompt) {
                        fs::copy(written(&prompt, directory, writer), &draft.beside).unwrap();
                        // It may be gone already, which is as well.
                        drop(folder.finish(&draft));
                    }
                    assert!(common(&folder, &prompt).is_none_or(|it| it == 300));
                }
            });
        }
    });
    let folder = folder_of(&directory, "a model", 20_000);
    assert!(!folder.files().is_empty());
    for path in folder.files() {
        assert!(folder.is_whole(&path));
    }
    let bytes: u64 = folder.files().iter().map(|it| fs::metadata(it).unwrap().len()).sum();
    assert!(bytes <= 20_000, "{bytes}");
    let left = fs::read_dir(&folder.options.path).unwrap().count();
    assert_eq!(left, folder.files().len());
}

fn written(prompt: &[LlamaToken], directory: &TempDir, writer: i32) -> PathBuf {
    let path = directory.path().join(format!("{writer}"));
    let all = [1, 2, 300].into_iter().chain(prompt.iter().map(|it| it.0));
    let bytes: Vec<u8> = all.flat_map(i32::to_le_bytes).collect();
    fs::write(&path, bytes).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn nobody_else_can_look_in() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = TempDir::new().unwrap();
    let folder = folder_of(&directory, "a model", 1 << 20);
    let file = keep(&folder, &tokens(0..300)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&folder.options.path)), (0o600, 0o700));
}

#[test]
fn the_llama_cpp_that_files_are_told_apart_by_is_the_one_that_is_built() {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
    let lock = fs::read_to_string(lock).unwrap();
    assert!(lock.contains(&format!("name = \"llama-cpp-sys-2\"\nversion = \"{LLAMA_CPP}\"")));
}
