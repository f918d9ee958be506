//! What `kb` shows people.

use tm_knowledge::{
    index::{Source, Stats, search::Hit, verify::Verified},
    sync::Synced,
};

use super::meaning::Made;
use crate::{
    cli::marks::count,
    report::{
        Report,
        table::Table,
        text::{BOLD, CYAN, DIM, Text},
    },
};

/// Names of files that are shown of a long list.
const SHOWN: usize = 10;

/// Lines of a chunk that are shown.
const LINES: usize = 6;

pub(super) fn print_synced(source: &Source, synced: &Synced, report: &mut Report) {
    let documents = synced.added + synced.changed + synced.unchanged;
    report.done(format!(
        "{}: {} ({} new, {} changed, {} gone)",
        source.name,
        count(documents, "document"),
        synced.added,
        synced.changed,
        synced.removed,
    ));
    for (path, why) in synced.skipped.iter().take(SHOWN) {
        report.warn(&format!("{} was not read: {why}", path.display()));
    }
    if synced.skipped.len() > SHOWN {
        let more = synced.skipped.len() - SHOWN;
        report.warn(&format!("{} were not read either", count(more, "file")));
    }
}

pub(super) fn print_made(made: &Made, report: &mut Report) {
    match made {
        Made::Complete { model, made, chunks } => {
            let chunks = count(usize::try_from(*chunks).unwrap_or_default(), "chunk");
            report.done(format!("{chunks} with vectors ({made} new), by {model}"));
        }
        Made::WordsAlone { why, hint } => {
            report.note(&format!("documents are found by their words alone: {why}; {hint}"));
        }
    }
}

pub(super) fn print_sources(sources: &[Source], report: &mut Report) {
    let titles = &["Id", "Source", "Documents", "Chunks", "Licence", "Read", "Path"];
    let mut table = Table::new(titles, "Path");
    for source in sources {
        let read = source.read_s.map_or_else(|| "not all of it".to_owned(), date);
        table.push(vec![
            source.id.to_string().into(),
            Text::styled(BOLD, &source.name),
            source.documents.to_string().into(),
            source.chunks.to_string().into(),
            source.licence.as_deref().unwrap_or("not said").into(),
            read.into(),
            source.location.as_str().into(),
        ]);
    }
    let columns = report.columns();
    report.lines(table.lines(columns));
}

pub(super) fn print_hits(hits: &[Hit], report: &mut Report) {
    if hits.is_empty() {
        report.line("Nothing in the documents has these words.");
    }
    for (number, hit) in hits.iter().enumerate() {
        if number > 0 {
            report.blank();
        }
        let line = Text::styled(BOLD, &format!("{} ", number + 1)).and(CYAN, &hit.place());
        let headings =
            if hit.page.is_some() { hit.title.clone() } else { hit.headings.join(" › ") };
        report.line(line.and(DIM, &format!("  {} {headings}", hit.source)));
        for line in hit.text.lines().filter(|it| !it.trim().is_empty()).take(LINES) {
            report.line(format!("  {line}"));
        }
    }
}

pub(super) fn print_verified(verified: &Verified, report: &mut Report) {
    let documents = usize::try_from(verified.documents).unwrap_or_default();
    let chunks = usize::try_from(verified.chunks).unwrap_or_default();
    let what = format!("{} in {}", count(chunks, "chunk"), count(documents, "document"));
    if verified.holds() {
        report.done(format!("{what} say what they said when they were read"));
    } else {
        report.line(what);
        let broken: Vec<String> = verified.broken.iter().map(ToString::to_string).collect();
        report.warn(&format!("these chunks say something else: {}", broken.join(", ")));
        report.warn("add their sources again: citations of them do not hold");
    }
    for (paths, what) in [(&verified.changed, "changed since"), (&verified.missing, "not there")] {
        for path in paths.iter().take(SHOWN) {
            report.note(&format!("{path}: {what}"));
        }
        if paths.len() > SHOWN {
            report.note(&format!("{} more: {what}", count(paths.len() - SHOWN, "file")));
        }
    }
    for name in &verified.unlicensed {
        report.note(&format!("nobody said which licence {name} has; `kb add --licence` does"));
    }
}

pub(super) fn print_stats(stats: &Stats, report: &mut Report) {
    let size = |bytes: u64| format!("{} kB", bytes.div_ceil(1000));
    let kinds: Vec<String> = stats.kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    for (name, value) in [
        ("Sources", stats.sources.to_string()),
        ("Documents", format!("{} ({})", stats.documents, kinds.join(", "))),
        ("Duplicates", stats.duplicates.to_string()),
        ("Chunks", stats.chunks.to_string()),
        ("Vectors", vectors(stats)),
        ("Text", size(stats.text_bytes)),
        ("On disk", size(stats.file_bytes)),
    ] {
        report.line(Text::styled(DIM, &format!("{name:<12}")).and_text(value.into()));
    }
}

fn vectors(stats: &Stats) -> String {
    match &stats.vectors {
        None => "none: found by words alone".to_owned(),
        Some(it) => format!(
            "{} of {} chunks, by {} ({} dimensions)",
            it.chunks, stats.chunks, it.embedder.model, it.dimensions
        ),
    }
}

fn date(seconds: i64) -> String {
    let at = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    at.strftime("%Y-%m-%d").to_string()
}
