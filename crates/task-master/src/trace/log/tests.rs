use std::{fs, sync::Arc, thread};

use super::{Line, Log, Record, older, path};

fn record(id: usize) -> Record {
    Record { id: format!("{id:024x}"), by: "expand".to_owned(), ..Record::default() }
}

#[test]
fn the_newest_come_first_and_the_oldest_make_room() {
    let directory = tempfile::tempdir().unwrap();
    let file = path(directory.path());
    for id in 0..40 {
        let log = Log::new(Some(file.clone()), 4000);
        log.keep(record(id));
    }
    let past = Log::read(directory.path()).unwrap();
    let ids: Vec<String> = past.records.iter().map(|it| it.id.clone()).collect();
    let expected: Vec<String> = (0..40).rev().take(ids.len()).map(|it| record(it).id).collect();
    assert_eq!(ids, expected);
    assert!(ids.len() > 10 && ids.len() < 30, "{}", ids.len());
    for file in [&file, &older(&file)] {
        assert!(fs::metadata(file).unwrap().len() < 4500);
    }
}

#[test]
fn any_number_of_writers_lose_nothing_when_the_file_is_moved() {
    let directory = tempfile::tempdir().unwrap();
    // Moved once: four writers of fifty records each come to less than two files.
    let (file, length) = (path(directory.path()), 200 * 420 / 2);
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let file = file.clone();
            thread::spawn(move || {
                for id in 0..50 {
                    Log::new(Some(file.clone()), length).keep(record(writer * 50 + id));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let past = Log::read(directory.path()).unwrap();
    let mut ids: Vec<String> = past.records.iter().map(|it| it.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), past.unreadable, past.lost), (200, 0, 0));
    assert!(older(&file).exists());
}

#[test]
fn lines_that_are_no_records_are_counted_and_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::in_dir(directory.path());
    log.keep(record(1));
    drop(log);
    let file = path(directory.path());
    let lost = serde_json::to_string(&Line::Lost { lost: 3 }).unwrap();
    let broken =
        format!("{}{{\"id\": \"2\", \"ti\n[]\n{lost}\n", fs::read_to_string(&file).unwrap());
    fs::write(&file, broken).unwrap();
    let past = Log::read(directory.path()).unwrap();
    assert_eq!((past.records, past.lost, past.unreadable), (vec![record(1)], 3, 2));
}

#[test]
fn a_disk_that_takes_nothing_stops_nobody() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("state"), "in the way").unwrap();
    let log = Arc::new(Log::in_dir(&directory.path().join("state")));
    log.keep(record(1));
    drop(log);
    assert!(Log::read(&directory.path().join("state")).is_err());
}
