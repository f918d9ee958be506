//! A server on this machine that hands out files, and breaks off where a test wants it to.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub path: String,
    /// Where the requested range starts.
    pub from: Option<usize>,
    pub authorization: Option<String>,
    pub accept: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// The connection ends after so many bytes.
    Cut(usize),
    /// Nothing comes after so many bytes, as long as the server lives.
    Stall(usize),
}

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

pub(super) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    is_over: Arc<AtomicBool>,
    /// Stalled connections wait for its end.
    _stalled: mpsc::Sender<()>,
}

impl Answer {
    pub(super) fn of(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self { status, headers, body: body.into(), fault: None }
    }

    /// What a server that knows ranges answers.
    pub(super) fn file(bytes: &[u8], request: &Request) -> Self {
        let Some(from) = request.from else {
            return Self::of(200, "application/octet-stream", bytes);
        };
        if from >= bytes.len() {
            return Self::of(416, "text/plain", "");
        }
        let mut answer = Self::of(206, "application/octet-stream", &bytes[from..]);
        let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
        answer.headers.push(("content-range", range));
        answer
    }

    pub(super) fn not_found() -> Self {
        Self::of(404, "text/plain", "no")
    }

    pub(super) fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }
}

impl Server {
    pub(super) fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (stalled, end) = mpsc::channel::<()>();
        let (log, over, end) = (Arc::clone(&seen), Arc::clone(&is_over), Arc::new(Mutex::new(end)));
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (log, script, end) = (Arc::clone(&log), Arc::clone(&script), Arc::clone(&end));
                thread::spawn(move || answer(stream.unwrap(), &log, &*script, &end));
            }
        });
        Self { address, seen, is_over, _stalled: stalled }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|it| it.path == path).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
    }
}

fn answer(
    mut stream: TcpStream,
    log: &Mutex<Vec<Request>>,
    script: &Script,
    end: &Mutex<mpsc::Receiver<()>>,
) {
    let Some(request) = read(&stream) else { return };
    log.lock().unwrap().push(request.clone());
    let answer = script(&request);
    let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let head = format!(
        "HTTP/1.1 {} status\r\nconnection: close\r\ncontent-length: {}\r\n{}\r\n",
        answer.status,
        answer.body.len(),
        headers.collect::<String>()
    );
    let sent = match answer.fault {
        Some(Fault::Cut(sent) | Fault::Stall(sent)) => sent.min(answer.body.len()),
        None => answer.body.len(),
    };
    // A client may hang up whenever it likes.
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer.body[..sent])));
    if let Some(Fault::Stall(_)) = answer.fault {
        end.lock().unwrap().recv().unwrap_err();
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut request = Request { path: first.split(' ').nth(1)?.to_owned(), ..Request::default() };
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let from = value.strip_prefix("bytes=")?.trim_end_matches('-');
                request.from = Some(from.parse().ok()?);
            }
            "authorization" => request.authorization = Some(value.to_owned()),
            "accept" => request.accept = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(request)
}
