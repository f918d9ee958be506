use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use super::{ServerError, ollama_models};
use crate::egress::guard::Guard;

/// Asks a server that answers with this.
async fn ask(status: &str, body: &'static str) -> Result<Vec<String>, ServerError> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api/", listener.local_addr().unwrap());
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        assert!(request[..length].starts_with(b"GET /api/tags "));
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    });
    let answer = ollama_models(&url, &Guard::default()).await;
    server.join().unwrap();
    answer
}

#[tokio::test]
async fn a_server_names_its_models() {
    let body = r#"{"models":[{"name":"a:latest","model":"a:latest"},{"name":"b"}]}"#;
    assert_eq!(ask("200 OK", body).await.unwrap(), ["a:latest", "b"]);
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    let refused = ask("404 Not Found", "").await.unwrap_err();
    assert!(matches!(refused, ServerError::Refused { status: 404 }), "{refused}");
    let unreadable = ask("200 OK", "<html>").await.unwrap_err();
    assert!(matches!(unreadable, ServerError::Unreadable(_)), "{unreadable}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    drop(listener);
    let unreachable = ollama_models(&url, &Guard::default()).await.unwrap_err();
    assert!(matches!(unreachable, ServerError::Unreachable(_)), "{unreachable}");
}

#[tokio::test]
async fn a_server_that_is_not_local_is_not_asked() {
    let refused = ollama_models("http://192.0.2.1/api", &Guard::default()).await.unwrap_err();
    assert!(matches!(refused, ServerError::NotLocal(_)), "{refused}");
}
