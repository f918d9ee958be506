//! Thousands of questions to four servers of which most are in trouble at any moment.
//!
//! They are killed, hang, are slow, refuse, talk nonsense and stop in the middle, in turn. Every
//! question is to end once, and nearly every one well; none is to begin with a server that is known
//! to have failed while another one is well; and what is done about a question, besides asking
//! servers, takes no time to speak of.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tm_llm::{
    backend::{
        Backend, BackendError,
        remote::{Patience, RemoteBackend, Server},
    },
    chat::{ChatEvent, ChatRequest, Message, Sampling},
    egress::guard::Guard,
    failover::{Attempt, Candidate, Failover, Journey, Outcome, Rounds, SeatReport, Step},
    provider,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time,
};

const QUESTIONS: u64 = 20_000;
/// Questions under way at a time.
const ASKING: u64 = 32;
/// The least that is waited for when all have failed.
const ROUND: Duration = Duration::from_millis(200);
/// Whoever has failed rests for as long, at least.
const REST: Duration = Duration::from_secs(1);
/// What was seen may have happened a little earlier, on a machine that has other things to do.
const SLACK: Duration = Duration::from_millis(20);
/// The 99th percentile of our own time. It is some hundredths of a millisecond; a thread that has to
/// wait for a processor in one of a hundred questions makes milliseconds of it.
const OURS_MOST: Duration = Duration::from_millis(2);
const MOOD_LASTS: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    Slow,
    Killed,
    Hung,
    Refusing,
    Nonsense,
    Half,
}

/// Half of the time a server is well, and at any moment one of the four is.
const MOODS: [Mood; 12] = [
    Mood::Well,
    Mood::Killed,
    Mood::Well,
    Mood::Hung,
    Mood::Slow,
    Mood::Refusing,
    Mood::Well,
    Mood::Nonsense,
    Mood::Well,
    Mood::Half,
    Mood::Well,
    Mood::Well,
];

/// A server of the kind that goes on from the middle of an answer, or of the kind that does not.
#[derive(Debug)]
struct Trouble {
    number: usize,
    goes_on: bool,
    begun: Instant,
    faults: AtomicU64,
}

impl Trouble {
    fn mood(&self) -> Mood {
        let turn = self.begun.elapsed().as_millis() / MOOD_LASTS.as_millis();
        // They are not all in the same mood.
        let turn = usize::try_from(turn).unwrap() + self.number * 3;
        MOODS[turn % MOODS.len()]
    }

    async fn start(self: Arc<Self>, servers: &mut JoinSet<()>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        servers.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let trouble = Arc::clone(&self);
                connections.spawn(async move { trouble.converse(socket).await });
            }
        });
        address
    }

    async fn converse(&self, socket: TcpStream) -> Option<()> {
        socket.set_nodelay(true).ok()?;
        let mut socket = BufReader::new(socket);
        loop {
            let (line, body) = read(&mut socket).await?;
            if line.starts_with("GET") {
                let props = json!({"default_generation_settings": {"n_ctx": 8192}});
                let has_props = self.goes_on && line.contains("/props");
                let (status, body) = if has_props { (200, props) } else { (404, Value::Null) };
                write(&mut socket, status, "application/json", &body.to_string()).await?;
                continue;
            }
            let answer = answer(&body);
            let messages = body["messages"].as_array()?;
            let before = match messages.last()? {
                last if last["role"] == "assistant" && self.goes_on => last["content"].as_str()?,
                _ => "",
            };
            let rest = answer.strip_prefix(before).unwrap();
            let mood = self.mood();
            if !matches!(mood, Mood::Well | Mood::Slow) {
                self.faults.fetch_add(1, Ordering::Relaxed);
            }
            match mood {
                Mood::Well => say(&mut socket, rest).await?,
                Mood::Slow => {
                    time::sleep(Duration::from_millis(50)).await;
                    say(&mut socket, rest).await?;
                }
                Mood::Killed => return None,
                Mood::Hung => std::future::pending().await,
                Mood::Refusing => {
                    let error = r#"{"error": {"message": "worker died"}}"#;
                    write(&mut socket, 500, "application/json", error).await?;
                }
                Mood::Nonsense => {
                    write(&mut socket, 200, "text/event-stream", "data: {\"cho\n\n").await?;
                }
                Mood::Half => {
                    let whole = events(rest);
                    let half = &whole[..whole.len() / 2];
                    let head = "HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\n\r\n";
                    socket.write_all(format!("{head}{half}").as_bytes()).await.ok()?;
                    return None;
                }
            }
        }
    }
}

/// What every server says to a question.
fn answer(body: &Value) -> String {
    let question = body["messages"][0]["content"].as_str().unwrap();
    format!("You asked about {question}, and the answer to it is: yes, number {question}.")
}

fn events(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut events = String::new();
    for piece in characters.chunks(12) {
        let delta = json!({"content": piece.iter().collect::<String>()});
        let frame = json!({"choices": [{ "delta": delta }]});
        events.extend(["data: ", &frame.to_string(), "\n\n"]);
    }
    events += "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    events
}

async fn say(socket: &mut BufReader<TcpStream>, text: &str) -> Option<()> {
    write(socket, 200, "text/event-stream", &events(text)).await
}

async fn write(
    socket: &mut BufReader<TcpStream>,
    status: u16,
    kind: &str,
    body: &str,
) -> Option<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
    socket.write_all(format!("{head}{body}").as_bytes()).await.ok()
}

async fn read(socket: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let mut first = String::new();
    socket.read_line(&mut first).await.ok().filter(|it| *it > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        socket.read_line(&mut line).await.ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    Some((first, serde_json::from_slice(&body).unwrap_or_default()))
}

fn candidate(address: SocketAddr) -> Candidate {
    let server = Server {
        provider: provider::find("openai-compatible").unwrap(),
        url: format!("http://{address}/v1"),
        model: "m".to_owned(),
        key: None,
        temperature: None,
        max_tokens: None,
        context_window: None,
        patience: Patience { first: Duration::from_secs(1), next: Duration::from_secs(1) },
        audit: None,
    };
    let client = Guard::default().client().unwrap();
    let open = move || {
        let opening = RemoteBackend::open(server.clone(), client.clone());
        Box::pin(async move {
            let backend: Arc<dyn Backend> = Arc::new(opening.await?);
            Ok(backend)
        }) as futures_util::future::BoxFuture<'static, _>
    };
    Candidate::new(address.to_string(), Box::new(open), None)
}

/// What became of one question.
struct Asked {
    begun: Instant,
    /// How each server stood when it began.
    standings: Vec<SeatReport>,
    attempts: Vec<Attempt>,
    took: Duration,
}

/// How servers did, and when that had been taken note of.
#[derive(Default)]
struct Seen(Mutex<Vec<(Instant, String, Outcome)>>);

impl Seen {
    fn journey(self: &Arc<Self>) -> Arc<Journey> {
        let seen = Arc::clone(self);
        Arc::new(Journey::new(Arc::new(move |step| {
            if let Step::Ended(attempt) = step {
                let name = attempt.name.clone();
                seen.0.lock().unwrap().push((Instant::now(), name, attempt.outcome));
            }
        })))
    }

    /// Whether a server did that between these moments, or about then.
    fn any(&self, name: &str, failed: bool, from: Instant, until: Instant) -> bool {
        self.0.lock().unwrap().iter().any(|(at, whose, outcome)| {
            let is_it = matches!(outcome, Outcome::Failed(_)) == failed;
            is_it && whose == name && *at + SLACK >= from && *at <= until + SLACK
        })
    }
}

impl Asked {
    /// Everything but waiting for servers; none where all had failed, which is waited out.
    fn ours(&self) -> Option<Duration> {
        let mut ended = Duration::ZERO;
        for attempt in &self.attempts {
            if attempt.after > ended + ROUND {
                return None;
            }
            ended = attempt.after + attempt.took;
        }
        let theirs: Duration = self.attempts.iter().map(|it| it.took + it.queued).sum();
        Some(self.took.saturating_sub(theirs))
    }

    /// Whether one server was known to rest, and another one to be well.
    fn had_a_choice(&self) -> bool {
        let is = |standing| self.standings.iter().any(|it| it.standing == standing);
        is("resting") && is("well")
    }

    /// Whether a server was asked first that was known to have failed, while another one was well.
    /// What changed while the question was on its way is no fault.
    fn began_with_a_failed_one(&self, seen: &Seen) -> bool {
        let Some(first) = self.attempts.iter().min_by_key(|it| it.after) else { return false };
        let at = self.begun + first.after;
        let is_first = |it: &&SeatReport| it.name == first.name;
        let rests = self.standings.iter().find(is_first).is_some_and(|it| it.standing == "resting");
        let others = self.standings.iter().filter(|it| !is_first(it) && it.standing == "well");
        let is_back = seen.any(&first.name, false, self.begun, at);
        let may_rest_since = at.checked_sub(REST).map(|it| it + 2 * SLACK);
        let still_rests = may_rest_since
            .is_none_or(|since| seen.any(&first.name, true, since + SLACK, self.begun));
        let stays_well = |it: &SeatReport| !seen.any(&it.name, true, self.begun, at);
        rests && !is_back && still_rests && others.into_iter().any(stays_well)
    }
}

/// Asks, and sees what becomes of it.
async fn watch(
    failover: &Failover,
    question: u64,
    seen: &Arc<Seen>,
) -> (Result<String, BackendError>, Asked) {
    let standings = failover.report();
    let (begun, journey) = (Instant::now(), seen.journey());
    let answer = ask(&failover.watched(Arc::clone(&journey)), question).await;
    let took = begun.elapsed();
    (answer, Asked { begun, standings, attempts: journey.ended(), took })
}

/// The text of the answer; panics when it has two ends.
async fn ask(failover: &Failover, question: u64) -> Result<String, BackendError> {
    let request = ChatRequest {
        messages: vec![Message::user(question.to_string())],
        response_schema: None,
        sampling: Sampling::default(),
        max_tokens: 500,
        deadline: Instant::now() + Duration::from_mins(1),
    };
    let mut events = failover.stream(request).await?;
    let (mut text, mut ends) = (String::new(), 0);
    while let Some(event) = events.next().await {
        match event {
            Ok(ChatEvent::Delta(delta)) => {
                assert_eq!(ends, 0, "{question}: text after the end");
                text += &delta;
            }
            Ok(ChatEvent::Reasoning(_)) => {}
            Ok(ChatEvent::Done { .. }) => ends += 1,
            Err(error) => return Err(error),
        }
    }
    assert_eq!(ends, 1, "{question}");
    Ok(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn nearly_every_question_ends_well_and_every_one_ends_once() {
    let mut servers = JoinSet::new();
    let mut troubles = Vec::new();
    let mut candidates = Vec::new();
    for number in 0..4 {
        let trouble = Trouble {
            number,
            goes_on: number % 2 == 0,
            begun: Instant::now(),
            faults: AtomicU64::new(0),
        };
        let trouble = Arc::new(trouble);
        candidates.push(candidate(Arc::clone(&trouble).start(&mut servers).await));
        troubles.push(trouble);
    }
    let rounds = Rounds { most: 6, wait: ROUND, silence: Duration::from_secs(1) };
    let failover = Failover::unopened(candidates, Arc::new(|_| ())).with_rounds(rounds);
    let (failover, next) = (Arc::new(failover), Arc::new(AtomicU64::new(0)));
    let seen: Arc<Seen> = Arc::default();
    let mut asking = JoinSet::new();
    for _ in 0..ASKING {
        let (failover, next) = (Arc::clone(&failover), Arc::clone(&next));
        let seen = Arc::clone(&seen);
        asking.spawn(async move {
            let (mut ended, mut failures) = (Vec::new(), Vec::new());
            loop {
                let question = next.fetch_add(1, Ordering::Relaxed);
                if question >= QUESTIONS {
                    return (ended, failures);
                }
                let expected = answer(&json!({"messages": [{"content": question.to_string()}]}));
                let (answer, asked) = watch(&failover, question, &seen).await;
                ended.push(asked);
                match answer {
                    Ok(text) => assert_eq!(text, expected, "nothing is lost and nothing doubled"),
                    Err(error) => failures.push(error.to_string()),
                }
            }
        });
    }
    let (mut ended, mut failures) = (Vec::new(), Vec::new());
    while let Some(done) = asking.join_next().await {
        let (more, failed) = done.unwrap();
        ended.extend(more);
        failures.extend(failed);
    }
    assert_eq!(ended.len() as u64, QUESTIONS);
    let most = usize::try_from(QUESTIONS / 1000).unwrap();
    assert!(failures.len() <= most, "{} failed: {:?}", failures.len(), failures.first());
    let faults: u64 = troubles.iter().map(|it| it.faults.load(Ordering::Relaxed)).sum();
    let resumed: u64 = failover.report().iter().map(|it| it.resumed).sum();
    assert!(faults > 20 && resumed > 0, "the servers were in trouble: {faults}, {resumed}");
    check_choices(&ended, &seen);
    check_our_time(&ended);
}

#[expect(clippy::print_stdout, reason = "the figures are worth more than that they are good")]
fn check_choices(ended: &[Asked], seen: &Seen) {
    let choices = ended.iter().filter(|it| it.had_a_choice()).count();
    let wrong = ended.iter().filter(|it| it.began_with_a_failed_one(seen)).count();
    println!("{choices} began while one rested and another was well; {wrong} asked the wrong one");
    assert!(choices > 100 && wrong == 0, "{wrong} of {choices}");
}

#[expect(clippy::print_stdout, reason = "the figures are worth more than that they are good")]
fn check_our_time(ended: &[Asked]) {
    let mut ours: Vec<Duration> = ended.iter().filter_map(Asked::ours).collect();
    ours.sort();
    let at = |part: usize| ours[ours.len() * part / 1000];
    let waited = ended.len() - ours.len();
    let (middle, high, highest) = (at(500), at(990), at(999));
    println!(
        "our own time: p50 {middle:?}, p99 {high:?}, p99.9 {highest:?}; {waited} waited for all"
    );
    assert!(ours.len() * 2 > ended.len() && high < OURS_MOST, "{high:?}, without {waited}");
}
