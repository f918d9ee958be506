//! How well and how fast chunks are found, on collections with known answers.
//!
//! `cargo run --release -p task-master --example retrieval -- --model=FILE --keep=DIR DIR…`, each
//! directory with `docs.jsonl` (`id`, `title`, `text`), `queries.jsonl` (`id`, `text`) and
//! `qrels.tsv` (question, document, relevance). A document is ranked by its best chunk. Without a
//! model that makes vectors, chunks are found by their words alone. `--keep` keeps the knowledge
//! bases, whose vectors take minutes. `--weights=0.5,1` tries other weights than the embedder's own.
//! `--copies=N` keeps every document N times, to see what size does to speed; quality means nothing
//! then.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a product")]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;
use tm_engine::{Embedder, EngineOptions};
use tm_knowledge::index::{
    Index,
    search::{By, Meaning, Query},
    vectors,
    write::{Document, NewSource},
};
use tm_llm::{backend::Backend as _, embed::EmbedRequest};
use tokio::runtime::Runtime;

const DEPTH: usize = 100;

/// Chunks that get their vectors together.
const BATCH: usize = 64;

/// Relevance by document, for each question.
type Judgements = HashMap<String, HashMap<String, f64>>;

struct Options {
    model: Option<Embedder>,
    keep: PathBuf,
    weights: Vec<f64>,
    copies: usize,
    runtime: Runtime,
}

fn main() {
    let (options, directories): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|it| it.starts_with("--"));
    let value = |name: &str| options.iter().find_map(|it| it.strip_prefix(name));
    let load = |it| Embedder::load(Path::new(it), &EngineOptions::default()).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let weights = value("--weights=").unwrap_or("1").split(',');
    let options = Options {
        model: value("--model=").map(load),
        keep: value("--keep=").map_or(temporary.path().to_path_buf(), PathBuf::from),
        weights: weights.map(|it| it.parse().unwrap()).collect(),
        copies: value("--copies=").map_or(1, |it| it.parse().unwrap()),
        runtime: Runtime::new().unwrap(),
    };
    for directory in &directories {
        options.measure(Path::new(directory));
    }
    if options.model.is_some() {
        options.tell_nearness(&directories);
    }
}

/// The vector of a question, and how long that took.
type Asked = (Vec<f32>, Duration);

impl Options {
    fn measure(&self, directory: &Path) {
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        let file = self.file(directory);
        self.build(directory, &file);
        let started = Instant::now();
        let index = Index::open(&file).unwrap();
        let reopen_ms = started.elapsed().as_secs_f64() * 1000.0;
        let stats = index.stats().unwrap();
        println!(
            "{name}: {} chunks, {} with vectors, {:.0} MB, reopened in {reopen_ms:.1} ms",
            stats.chunks,
            stats.vectors.as_ref().map_or(0, |it| it.chunks),
            float(usize::try_from(stats.file_bytes).unwrap()) / 1e6,
        );
        println!("by             nDCG@10  R@100  p50_ms  p95_ms");
        let questions = lines(&directory.join("queries.jsonl"));
        let judgements = judgements(directory);
        let questions: Vec<(String, &HashMap<String, f64>)> = questions
            .iter()
            .filter_map(|it| Some((string(it, "text"), judgements.get(&string(it, "id"))?)))
            .collect();
        report("words", &index, &questions, |_| (By::Words, Duration::ZERO));
        if self.model.is_none() {
            return;
        }
        let asked: Vec<Asked> = questions.iter().map(|(text, _)| self.asked(text)).collect();
        let meaning = |at: usize, weight| {
            let (vector, took) = asked[at].clone();
            (Meaning { vector, embedder: self.embedder(), weight, nearest: None }, took)
        };
        report("meaning", &index, &questions, |at| {
            let (meaning, took) = meaning(at, 1.0);
            (By::Meaning(meaning), took)
        });
        for weight in &self.weights {
            report(&format!("both, {weight}"), &index, &questions, |at| {
                let (meaning, took) = meaning(at, *weight);
                (By::Both(meaning), took)
            });
        }
    }

    fn file(&self, directory: &Path) -> PathBuf {
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        self.keep.join(format!("{name}.sqlite"))
    }

    /// How near the nearest passage is to questions of the same collection, and to those of others,
    /// which none of its passages is about.
    fn tell_nearness(&self, directories: &[String]) {
        println!("nearest passage of   to questions of   p1     p5     p50    p95    p99");
        for of in directories {
            let index = Index::open(&self.file(Path::new(of))).unwrap();
            for to in directories {
                let nearest = |question: &Value| {
                    let (vector, _) = self.asked(&string(question, "text"));
                    let meaning =
                        Meaning { vector, embedder: self.embedder(), weight: 1.0, nearest: None };
                    let query = Query { by: By::Meaning(meaning), ..Query::new("", 1) };
                    index.search(&query).unwrap().first().and_then(|it| it.cosine)
                };
                let questions = lines(&Path::new(to).join("queries.jsonl"));
                let mut cosines: Vec<f64> = questions.iter().filter_map(nearest).collect();
                cosines.sort_by(f64::total_cmp);
                let at = |percent: usize| cosines[(cosines.len() - 1) * percent / 100];
                let shares = [1, 5, 50, 95, 99].map(|it| format!("{:.3}", at(it)));
                println!("{of}   {to}   {}", shares.join("  "));
            }
        }
    }

    /// Makes the knowledge base, or the rest of it.
    fn build(&self, directory: &Path, file: &Path) {
        let is_there = file.exists();
        let mut index = Index::create(file).unwrap();
        if !is_there {
            let started = Instant::now();
            let new = NewSource { location: "/".into(), name: "/".into(), ..NewSource::default() };
            let source = index.add_source(&new, 0).unwrap();
            for batch in documents(directory, self.copies).chunks(64) {
                index.write(source.id, batch).unwrap();
            }
            println!("indexed in {:.1} s", started.elapsed().as_secs_f64());
        }
        if self.model.is_none() {
            return;
        }
        let started = Instant::now();
        let (mut count, mut last) = (0, 0);
        loop {
            let batch = index.unembedded(last, BATCH).unwrap();
            let Some(it) = batch.last() else { break };
            last = it.chunk;
            let vectors = self.vectors(batch.iter().map(|it| it.text.clone()).collect());
            count += batch.len();
            let kept: Vec<_> = batch.iter().zip(vectors).collect();
            index.keep_vectors(&self.embedder(), &kept).unwrap();
        }
        println!("{count} vectors in {:.1} s", started.elapsed().as_secs_f64());
    }

    fn embedder(&self) -> vectors::Embedder {
        let model = self.model.as_ref().unwrap().info().model.clone();
        vectors::Embedder { identity: model.clone(), model }
    }

    fn vectors(&self, texts: Vec<String>) -> Vec<Vec<f32>> {
        let deadline = Instant::now() + Duration::from_hours(1);
        let request = EmbedRequest { texts, dimensions: None, deadline };
        let model = self.model.as_ref().unwrap();
        self.runtime.block_on(model.embed(request)).unwrap().vectors
    }

    fn asked(&self, text: &str) -> Asked {
        let started = Instant::now();
        let vector = self.vectors(vec![text.to_owned()]).remove(0);
        (vector, started.elapsed())
    }
}

fn report(
    name: &str,
    index: &Index,
    questions: &[(String, &HashMap<String, f64>)],
    by: impl Fn(usize) -> (By, Duration),
) {
    let (mut gain, mut recall, mut times) = (0.0, 0.0, Vec::new());
    for (at, (text, relevant)) in questions.iter().enumerate() {
        let (by, asking) = by(at);
        let query = Query { per_document: 1, by, ..Query::new(text, DEPTH) };
        let started = Instant::now();
        let hits = index.search(&query).unwrap();
        times.push(started.elapsed() + asking);
        let ranked: Vec<&str> = hits.iter().map(|it| it.path.as_str()).collect();
        gain += ndcg(&ranked, relevant);
        let found = ranked.iter().filter(|it| relevant.contains_key(**it)).count();
        recall += float(found) / float(relevant.len());
    }
    times.sort();
    let count = float(times.len());
    println!(
        "{name:<14} {:.3}    {:.3}  {:.1}    {:.1}",
        gain / count,
        recall / count,
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
