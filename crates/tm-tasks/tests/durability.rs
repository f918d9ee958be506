//! Killed writers, crowds of writers and full disks lose nothing that was said to be safe.
//!
//! The writers are processes of their own: each test runs itself again with [`JOB`] set.
//! `TASK_MASTER_SOAK_S` makes the tests run for that many seconds.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;
use tm_tasks::{
    document::{MASTER, TaskFile},
    store::{Store, StoreError},
    timestamp::Timestamp,
};

/// In a writer: the folder, the id of the task it counts in, the seconds it writes for.
const JOB: &str = "TASK_MASTER_TEST_WRITER";
const KILLS: usize = 200;
const WRITERS: usize = 8;

#[test]
fn writers_that_are_killed_lose_nothing() {
    if write_as_told() {
        return;
    }
    let folder = folder_with_tasks();
    let store = store_in(folder.path());
    let (mut acknowledged, mut kills, mut in_flight, mut leftovers) = (0, 0, 0, 0);
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    // Somewhat more than a write takes.
    let reach_us = if soak().is_some() { 25_000 } else { 4_000 };
    let started = Instant::now();
    while kills < KILLS || started.elapsed() < soak().unwrap_or_default() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut writer = spawn("writers_that_are_killed_lose_nothing", folder.path(), 1, 600);
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let acknowledgements = lines.by_ref().map_while(Result::ok).filter_map(|it| count_in(&it));
        let few = usize::try_from(random >> 62).unwrap();
        acknowledged = acknowledgements.take(few).last().unwrap_or(acknowledged);
        thread::park_timeout(Duration::from_micros((random >> 32) % reach_us));
        writer.kill().unwrap();
        let rest = lines.map_while(Result::ok).filter_map(|it| count_in(&it));
        acknowledged = rest.last().unwrap_or(acknowledged);
        writer.wait().unwrap();
        kills += 1;
        leftovers += fs::read_dir(folder.path().join("tasks")).unwrap().count() - 1;
        let found = count_of(&store.read().unwrap(), 1);
        assert!(found == acknowledged || found == acknowledged + 1, "{found} {acknowledged}");
        in_flight += found - acknowledged;
        acknowledged = found;
        store.history().unwrap();
    }
    assert_eq!(increment(&store, 1).unwrap(), acknowledged + 1);
    assert_eq!(fs::read_dir(folder.path().join("tasks")).unwrap().count(), 1);
    eprintln!(
        "{kills} kills, {acknowledged} writes, {in_flight} of them done but not acknowledged, \
         {leftovers} temporary files left and cleaned up"
    );
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    if write_as_told() {
        return;
    }
    let folder = folder_with_tasks();
    let seconds = soak().map_or(3, |it| it.as_secs());
    let name = "writers_at_the_same_time_lose_nothing";
    let writers: Vec<Child> =
        (1..=WRITERS).map(|it| spawn(name, folder.path(), it, seconds)).collect();
    let mut counts = Vec::new();
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        counts.push(text.lines().rev().find_map(count_in).unwrap());
    }
    let file = store_in(folder.path()).read().unwrap();
    let found: Vec<u64> = (1..=WRITERS).map(|it| count_of(&file, it)).collect();
    assert_eq!(found, counts);
    eprintln!(
        "{WRITERS} writers for {seconds} s: {counts:?}, {} in all",
        counts.iter().sum::<u64>()
    );
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_the_file_is_intact() {
    if write_as_told() {
        return;
    }
    let folder = folder_with_tasks();
    let store = store_in(folder.path());
    let before = fs::read(store.path()).unwrap();
    // Files may not grow beyond some kilobytes, and trying to is an error rather than a signal.
    let limited = r#"trap "" XFSZ; ulimit -f 8; exec "$0" "$@""#;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(limited).arg(env::current_exe().unwrap());
    let name = "a_full_disk_is_an_error_and_the_file_is_intact";
    let output = run(shell, name, folder.path(), 1, 1).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let message = format!("no space is left to write {}", store.path().display());
    assert!(text.contains(&message), "{text}");
    assert_eq!(fs::read(store.path()).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path().join("tasks")).unwrap().count(), 1);
    assert_eq!(store.history().unwrap(), []);
}

/// The work of a writer, in the process that is one.
fn write_as_told() -> bool {
    let Some(job) = env::var_os(JOB) else { return false };
    let job = job.into_string().unwrap();
    let mut parts = job.splitn(3, ' ');
    let writer: usize = parts.next().unwrap().parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(parts.next().unwrap().parse().unwrap());
    let store = store_in(Path::new(parts.next().unwrap()));
    let mut last = None;
    while Instant::now() < deadline {
        let message = match increment(&store, writer) {
            Ok(count) => {
                assert!(last.is_none_or(|it| it + 1 == count), "{last:?} {count}");
                last = Some(count);
                format!("\ncount {count}\n")
            }
            Err(error) => format!("\n{error}\n"),
        };
        io::stdout().write_all(message.as_bytes()).unwrap();
        io::stdout().flush().unwrap();
    }
    true
}

fn increment(store: &Store, writer: usize) -> Result<u64, StoreError> {
    store.commit("count", Timestamp::now(), |file| {
        let count = count_of(file, writer) + 1;
        let task = file.tag_mut(MASTER).unwrap().tasks_mut().get_mut(writer - 1).unwrap();
        task.set("count", &json!(count));
        Ok(count)
    })
}

fn count_of(file: &TaskFile, writer: usize) -> u64 {
    let task = file.tag(MASTER).unwrap().tasks().get(writer - 1).unwrap();
    task.text("count").unwrap().parse().unwrap()
}

fn count_in(line: &str) -> Option<u64> {
    line.strip_prefix("count ")?.parse().ok()
}

/// In memory where there is such a place, so that many writes fit into a short test; a soak is on
/// the disk.
fn folder_with_tasks() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if soak().is_none() && memory.is_dir() { memory } else { &env::temp_dir() };
    let folder = tempfile::tempdir_in(parent).unwrap();
    let details = "Some text of the usual length. ".repeat(20);
    let task = |id| json!({"id": id, "title": "t", "details": details, "count": 0});
    let tasks: Vec<_> = (1..=40).map(task).collect();
    fs::create_dir(folder.path().join("tasks")).unwrap();
    let text = TaskFile::parse(json!({"master": {"tasks": tasks}}).to_string()).unwrap().to_text();
    fs::write(folder.path().join("tasks/tasks.json"), text).unwrap();
    folder
}

fn store_in(folder: &Path) -> Store {
    Store::open(folder.join("tasks/tasks.json"), folder.join("state"))
}

fn spawn(test: &str, folder: &Path, writer: usize, seconds: u64) -> Child {
    run(Command::new(env::current_exe().unwrap()), test, folder, writer, seconds)
}

fn run(mut command: Command, test: &str, folder: &Path, writer: usize, seconds: u64) -> Child {
    let job = [format!("{writer} {seconds} ").as_ref(), folder.as_os_str()].join(OsStr::new(""));
    command.args([test, "--exact", "--nocapture"]).env(JOB, job);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap()
}

fn soak() -> Option<Duration> {
    let seconds = env::var_os("TASK_MASTER_SOAK_S")?.into_string().unwrap();
    Some(Duration::from_secs(seconds.parse().unwrap()))
}
