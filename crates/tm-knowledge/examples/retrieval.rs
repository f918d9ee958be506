//! How well and how fast chunks are found, on collections with known answers.
//!
//! `cargo run --release -p tm-knowledge --example retrieval -- DIR…`, each directory with
//! `docs.jsonl` (`id`, `title`, `text`), `queries.jsonl` (`id`, `text`) and `qrels.tsv` (question,
//! document, relevance). A document is ranked by its best chunk. `--copies=N` keeps every document
//! N times, to see what size does to speed; quality means nothing then.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a product")]

use std::{
    collections::HashMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use tm_knowledge::index::{
    Index,
    search::Query,
    write::{Document, NewSource},
};

const DEPTH: usize = 100;

/// Relevance by document, for each question.
type Judgements = HashMap<String, HashMap<String, f64>>;

fn main() {
    let (options, directories): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|it| it.starts_with("--"));
    let copies = options.iter().find_map(|it| it.strip_prefix("--copies=")?.parse().ok());
    println!("collection  chunks  index_s  disk_MB  reopen_ms  nDCG@10  R@100  p50_ms  p95_ms");
    for directory in directories {
        measure(Path::new(&directory), copies.unwrap_or(1));
    }
}

fn measure(directory: &Path, copies: usize) {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("index.sqlite");
    let documents = documents(directory, copies);
    let started = Instant::now();
    let mut index = Index::create(&file).unwrap();
    let source = NewSource { location: "/".into(), name: "/".into(), ..NewSource::default() };
    let source = index.add_source(&source, 0).unwrap();
    for batch in documents.chunks(64) {
        index.write(source.id, batch).unwrap();
    }
    let index_s = started.elapsed().as_secs_f64();
    let stats = index.stats().unwrap();
    drop(index);
    let started = Instant::now();
    let index = Index::open(&file).unwrap();
    let reopen_ms = started.elapsed().as_secs_f64() * 1000.0;

    let judgements = judgements(directory);
    let (mut gain, mut recall, mut times) = (0.0, 0.0, Vec::new());
    for question in lines(&directory.join("queries.jsonl")) {
        let Some(relevant) = judgements.get(&string(&question, "id")) else { continue };
        let query = Query { per_document: 1, ..Query::new(string(&question, "text"), DEPTH) };
        let started = Instant::now();
        let hits = index.search(&query).unwrap();
        times.push(started.elapsed());
        let ranked: Vec<&str> = hits.iter().map(|it| it.path.as_str()).collect();
        gain += ndcg(&ranked, relevant);
        let found = ranked.iter().filter(|it| relevant.contains_key(**it)).count();
        recall += float(found) / float(relevant.len());
    }
    times.sort();
    let questions = float(times.len());
    println!(
        "{}  {}  {index_s:.1}  {:.0}  {reopen_ms:.1}  {:.3}  {:.3}  {:.1}  {:.1}",
        directory.file_name().unwrap().to_string_lossy(),
        stats.chunks,
        float(usize::try_from(stats.file_bytes).unwrap()) / 1e6,
        gain / questions,
        recall / questions,
        milliseconds(&times, 50),
        milliseconds(&times, 95),
    );
}

fn documents(directory: &Path, copies: usize) -> Vec<Document> {
    let of = |copy: usize, it: &Value| {
        let id = string(it, "id");
        let path = if copy == 0 { id } else { format!("{id}/{copy}") };
        Document::of_text(&path, &string(it, "title"), &string(it, "text"))
    };
    let all = lines(&directory.join("docs.jsonl"));
    (0..copies).flat_map(|copy| all.iter().map(move |it| of(copy, it))).collect()
}

/// Pairs of question and document that were judged relevant.
fn judgements(directory: &Path) -> Judgements {
    let mut judgements = Judgements::new();
    for line in fs::read_to_string(directory.join("qrels.tsv")).unwrap().lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (Some(question), Some(document)) = (fields.first(), fields.get(fields.len() - 2))
        else {
            continue;
        };
        let relevance: f64 = fields.last().unwrap().parse().unwrap_or(0.0);
        if relevance > 0.0 {
            let documents = judgements.entry((*question).to_owned()).or_default();
            documents.insert((*document).to_owned(), relevance);
        }
    }
    judgements
}

/// Of the first ten, as `trec_eval` counts it: gains are the relevance itself.
fn ndcg(ranked: &[&str], relevant: &HashMap<String, f64>) -> f64 {
    let discounted = |gains: &[f64]| -> f64 {
        let gains = gains.iter().take(10).enumerate();
        gains.map(|(rank, gain)| gain / float(rank + 2).log2()).sum()
    };
    let gains: Vec<f64> =
        ranked.iter().map(|it| relevant.get(*it).copied().unwrap_or(0.0)).collect();
    let mut best: Vec<f64> = relevant.values().copied().collect();
    best.sort_by(|one, other| other.total_cmp(one));
    discounted(&gains) / discounted(&best)
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn string(value: &Value, name: &str) -> String {
    let value = &value[name];
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn milliseconds(sorted: &[Duration], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).unwrap().as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of documents are small")]
fn float(count: usize) -> f64 {
    count as f64
}
