//! Thousands of questions to four servers of which most are in trouble at any moment.
//!
//! They are killed, hang, are slow, refuse, talk nonsense and stop in the middle, in turn. Every
//! question is to end once, and nearly every one well.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
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
    failover::{Candidate, Failover, Rounds},
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
    let rounds =
        Rounds { most: 6, wait: Duration::from_millis(200), first_word: Duration::from_secs(1) };
    let failover = Failover::unopened(candidates, Arc::new(|_| ())).with_rounds(rounds);
    let (failover, next) = (Arc::new(failover), Arc::new(AtomicU64::new(0)));
    let mut asking = JoinSet::new();
    for _ in 0..ASKING {
        let (failover, next) = (Arc::clone(&failover), Arc::clone(&next));
        asking.spawn(async move {
            let (mut ended, mut failures) = (0, Vec::new());
            loop {
                let question = next.fetch_add(1, Ordering::Relaxed);
                if question >= QUESTIONS {
                    return (ended, failures);
                }
                ended += 1;
                let expected = answer(&json!({"messages": [{"content": question.to_string()}]}));
                match ask(&failover, question).await {
                    Ok(text) => assert_eq!(text, expected, "nothing is lost and nothing doubled"),
                    Err(error) => failures.push(error.to_string()),
                }
            }
        });
    }
    let (mut ended, mut failures) = (0, Vec::new());
    while let Some(done) = asking.join_next().await {
        let (more, failed) = done.unwrap();
        ended += more;
        failures.extend(failed);
    }
    assert_eq!(ended, QUESTIONS);
    let most = usize::try_from(QUESTIONS / 1000).unwrap();
    assert!(failures.len() <= most, "{} failed: {:?}", failures.len(), failures.first());
    let faults: u64 = troubles.iter().map(|it| it.faults.load(Ordering::Relaxed)).sum();
    let resumed: u64 = failover.report().iter().map(|it| it.resumed).sum();
    assert!(faults > 20 && resumed > 0, "the servers were in trouble: {faults}, {resumed}");
}
