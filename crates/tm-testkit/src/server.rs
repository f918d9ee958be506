//! A model server that plays a script.
//!
//! It answers HTTP on a loopback port with what the test wrote, and can fail in every way a server
//! can: refuse, stall, end in the middle, say what is no answer.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use serde_json::Value;

/// What a client sent.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Such as `POST /v1/chat/completions`.
    pub line: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    /// Null when it is not JSON.
    pub body: Value,
}

/// What the server does about it.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Nothing comes after so many bytes: the connection ends, or stalls as long as the server
    /// lives.
    cut: Option<(usize, Then)>,
    /// Without a length, the end of the connection is the end of the body.
    has_length: bool,
    /// What is said before all else, and once.
    first: Vec<u8>,
    /// The body is said again and again, until the client hangs up, with this pause in between.
    again: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    End,
    Stall,
}

type Script = dyn FnMut(&Received) -> Answer + Send;

/// A server on this machine.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Received>>>,
    is_over: Arc<AtomicBool>,
    /// Stalled connections wait for its end.
    _stalled: mpsc::Sender<()>,
}

impl Answer {
    /// One JSON document.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        let body = body.to_string().into_bytes();
        Self { status, headers, body, cut: None, has_length: true, first: Vec::new(), again: None }
    }

    /// Server-sent events, as they are written.
    pub fn events(body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", "text/event-stream".to_owned())];
        let body = body.into();
        Self {
            status: 200,
            headers,
            body,
            cut: None,
            has_length: false,
            first: Vec::new(),
            again: None,
        }
    }

    /// This, without an end.
    pub fn endless(body: impl Into<Vec<u8>>) -> Self {
        Self { again: Some(Duration::ZERO), ..Self::events(body) }
    }

    /// The same with a pause after each time.
    pub fn dripping(body: impl Into<Vec<u8>>, pause: Duration) -> Self {
        Self { again: Some(pause), ..Self::events(body) }
    }

    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same after these words, of an answer whose length is not told.
    #[must_use]
    pub fn beginning_with(self, first: &str) -> Self {
        Self { first: first.as_bytes().to_vec(), ..self }
    }

    /// The connection ends after so many bytes of the body, which has a length.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Then::End));
        self.has_length = true;
        self
    }

    /// Nothing comes after so many bytes of the body.
    #[must_use]
    pub fn stalled_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Then::Stall));
        self
    }
}

impl ScriptedServer {
    /// Answers each request with what `script` makes of it.
    pub fn start(script: impl FnMut(&Received) -> Answer + Send + 'static) -> Self {
        let (listener, address) = listen();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (stalled, end) = mpsc::channel::<()>();
        let (log, over, end) = (Arc::clone(&seen), Arc::clone(&is_over), Arc::new(Mutex::new(end)));
        let script: Arc<Mutex<Box<Script>>> = Arc::new(Mutex::new(Box::new(script)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (log, script, end) = (Arc::clone(&log), Arc::clone(&script), Arc::clone(&end));
                thread::spawn(move || converse(stream, &log, &script, &end));
            }
        });
        Self { address, seen, is_over, _stalled: stalled }
    }

    /// A base URL where nobody listens.
    pub fn nobody() -> String {
        let (_, address) = listen();
        format!("http://{address}")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in order of arrival.
    pub fn seen(&self) -> Vec<Received> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The bodies of the requests that ask for an answer.
    pub fn asked(&self) -> Vec<Value> {
        let asks = |it: &Received| it.line.starts_with("POST") && !it.body["messages"].is_null();
        self.seen().into_iter().filter(asks).map(|it| it.body).collect()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
    }
}

#[expect(clippy::expect_used, reason = "a test without a port has failed")]
fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

fn converse(
    mut stream: TcpStream,
    log: &Mutex<Vec<Received>>,
    script: &Mutex<Box<Script>>,
    end: &Mutex<mpsc::Receiver<()>>,
) {
    let Some(received) = read(&stream) else { return };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(received.clone());
    let answer = script.lock().unwrap_or_else(PoisonError::into_inner)(&received);
    let length = answer.has_length.then(|| ("content-length", answer.body.len().to_string()));
    let headers = answer.headers.iter().cloned().chain(length);
    let headers: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let status = answer.status;
    let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n{}\r\n", headers.concat());
    let sent = answer.cut.map_or(answer.body.len(), |(bytes, _)| bytes.min(answer.body.len()));
    let body = answer.body.get(..sent).unwrap_or_default();
    // A client may hang up whenever it likes.
    let first = [head.as_bytes(), &answer.first].concat();
    drop(stream.write_all(&first).and_then(|()| stream.write_all(body)));
    if let Some(pause) = answer.again {
        repeat(&mut stream, body, pause);
    }
    if matches!(answer.cut, Some((_, Then::Stall))) {
        // Its end is an error.
        let ended = end.lock().unwrap_or_else(PoisonError::into_inner).recv();
        debug_assert!(ended.is_err());
    }
}

/// Until nobody listens any more.
fn repeat(stream: &mut TcpStream, body: &[u8], pause: Duration) {
    let many =
        if pause.is_zero() { body.repeat(1 + (16 << 10) / body.len()) } else { body.to_vec() };
    let (_never, waited) = mpsc::channel::<()>();
    while stream.write_all(&many).is_ok() {
        // Nothing comes: this is how long it takes.
        let waited = waited.recv_timeout(pause);
        debug_assert!(waited.is_err());
    }
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    let mut received = Received { line, ..Received::default() };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        received.headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = received.headers.get("content-length").and_then(|it| it.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    received.body = serde_json::from_slice(&body).unwrap_or_default();
    Some(received)
}
