use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};

use super::*;

/// A server that says the same on every connection, to each request on it, and how many
/// connections it had.
struct Server {
    way: Arc<Loopback>,
    connections: Arc<AtomicUsize>,
    _running: JoinSet<()>,
}

/// One request, all of which comes at once; false when there is none.
async fn heard(socket: &mut TcpStream) -> bool {
    let mut bytes = [0; 4096];
    socket.read(&mut bytes).await.is_ok_and(|it| it > 0)
}

impl Server {
    async fn saying(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, mut running) = (Arc::clone(&connections), JoinSet::new());
        running.spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                conversations.spawn(async move {
                    for answer in answers {
                        if !heard(&mut socket).await {
                            return;
                        }
                        socket.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        let way = Arc::new(Loopback::of(&url).unwrap());
        Self { way, connections, _running: running }
    }

    async fn ask(&self) -> Result<Response<Body>, LoopbackError> {
        self.way.post(Uri::from_static("/v1/x"), HeaderMap::new(), Bytes::from_static(b"{}")).await
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn text(mut body: Body) -> Result<String, hyper::Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend(piece?);
    }
    Ok(String::from_utf8(bytes).unwrap())
}

const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHello";
const STREAM: &str =
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nHello\r\n3\r\nend\r\n";

#[test]
fn nothing_but_plain_http_to_this_machine_goes_this_way() {
    for url in
        ["http://127.0.0.1:9/v1", "http://[::1]:9", "http://localhost/v1", "http://127.8.7.6"]
    {
        assert!(Loopback::of(url).is_some(), "{url}");
    }
    for url in [
        "https://127.0.0.1:9",
        "http://10.0.0.1",
        "http://example.org",
        "http://localhost.example.org",
        "http://user:secret@127.0.0.1",
        "http://2130706433.example",
        "nonsense",
    ] {
        assert!(Loopback::of(url).is_none(), "{url}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_when_its_answer_has_ended() {
    let server = Server::saying(&[WHOLE, WHOLE, WHOLE]).await;
    for _ in 0..3 {
        assert_eq!(text(server.ask().await.unwrap().into_body()).await.unwrap(), "Hello");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let server = Server::saying(&[WHOLE]).await;
    for _ in 0..3 {
        assert_eq!(text(server.ask().await.unwrap().into_body()).await.unwrap(), "Hello");
        // Until the other end has hung up.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn an_answer_that_nobody_wants_closes_its_connection_unless_it_has_come() {
    let server = Server::saying(&[STREAM]).await;
    let mut body = server.ask().await.unwrap().into_body();
    assert_eq!(body.next().await.unwrap().unwrap(), "Hello");
    drop(body);
    assert!(server.way.idle().is_empty());
    let mut body = server.ask().await.unwrap().into_body();
    assert_eq!(body.next().await.unwrap().unwrap(), "Hello");
    body.has_all();
    drop(body);
    assert_eq!(server.way.idle().len(), 1);
    // Its end has never come.
    drop(server.ask().await.unwrap());
    assert_eq!((server.way.idle().len(), server.connections()), (0, 3));
}

#[tokio::test]
async fn what_goes_wrong_is_told_and_keeps_nobody_waiting() {
    let gone = Loopback::of("http://127.0.0.1:1").unwrap();
    let (path, headers) = (Uri::from_static("/"), HeaderMap::new());
    let error = Arc::new(gone).post(path, headers, Bytes::new()).await.err().unwrap();
    assert!(matches!(error, LoopbackError::Connect(_)), "{error}");
    let hangs_up = Server::saying(&[""]).await;
    let error = hangs_up.ask().await.err().unwrap();
    assert!(matches!(error, LoopbackError::Broken(_)), "{error}");
    let cut = Server::saying(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nHello"]).await;
    text(cut.ask().await.unwrap().into_body()).await.unwrap_err();
    assert!(cut.way.idle().is_empty());
}
