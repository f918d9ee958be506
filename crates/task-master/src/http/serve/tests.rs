use std::fs;

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
};

use super::*;

/// Whether this may be listened on.
#[track_caller]
fn check(address: &str, (has_keys, has_tls, is_insecure): (bool, bool, bool), expected: &str) {
    let protection = Protection { has_keys, has_tls, is_insecure };
    let told = match protection.suffices(address.parse().unwrap()) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    };
    let is_it = if expected.is_empty() { told.is_empty() } else { told.contains(expected) };
    assert!(is_it, "{address}: {told}");
}

#[test]
fn other_machines_are_served_when_there_are_keys_and_encryption() {
    for local in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        check(local, (false, false, false), "");
    }
    for open in ["0.0.0.0:80", "192.168.0.9:80", "[::]:80"] {
        check(open, (false, false, false), "no key");
        check(open, (false, true, false), "no key");
        check(open, (false, false, true), "no key");
        check(open, (true, false, false), "not encrypted");
        check(open, (true, true, false), "");
        check(open, (true, false, true), "");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_come_to_an_end_with_the_head_of_a_request_is_hung_up_on() {
    let listener = listen("127.0.0.1:0".parse().unwrap(), Protection::default()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(|| async { "hello" }));
    let mut running = JoinSet::new();
    running.spawn(serve(listener, None, router, CancellationToken::new()));
    let begun = time::Instant::now();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Nothing, half of a head, and nothing after an answer.
    for said in ["", "GET / HTTP/1.1\r\nHo", request] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(said.as_bytes()).await.unwrap();
        let mut answer = String::new();
        drop(socket.read_to_string(&mut answer).await);
        assert_eq!(answer.contains("hello"), said == request, "{said}: {answer}");
    }
    let took = begun.elapsed();
    assert!((HEAD * 3..HEAD * 4).contains(&took), "{took:?}");
}

struct Pem {
    directory: tempfile::TempDir,
    certificate: CertificateDer<'static>,
}

impl Pem {
    fn make() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(directory.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { directory, certificate: made.cert.der().clone() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }
}

#[tokio::test]
async fn what_is_sent_is_encrypted_and_the_slow_keep_nobody_waiting() {
    let pem = Pem::make();
    let acceptor = encryption(&pem.path("cert.pem"), &pem.path("key.pem")).unwrap();
    let listener = listen("127.0.0.1:0".parse().unwrap(), Protection::default()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(|| async { "hello" }));
    let (stop, mut running) = (CancellationToken::new(), JoinSet::new());
    running.spawn(serve(listener, Some(acceptor), router, stop.clone()));

    // One says nothing, one does not speak TLS.
    let _silent = TcpStream::connect(address).await.unwrap();
    let mut plain = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    plain.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    drop(plain.read_to_end(&mut answer).await);
    assert!(!String::from_utf8_lossy(&answer).contains("hello"));

    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut socket = pem.connector().connect(name, socket).await.unwrap();
    socket.write_all(request).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    stop.cancel();
    running.join_next().await.unwrap().unwrap().unwrap();
}

#[test]
fn files_that_are_no_certificate_or_no_key_are_named() {
    let pem = Pem::make();
    let other = Pem::make();
    let told = |certificates: PathBuf, key: PathBuf| {
        encryption(&certificates, &key).err().map(|it| it.to_string()).unwrap_or_default()
    };
    let (certificate, key) = (pem.path("cert.pem"), pem.path("key.pem"));
    assert!(told(pem.path("none.pem"), key.clone()).contains("none.pem"));
    assert!(told(certificate.clone(), certificate.clone()).contains("cert.pem"));
    assert!(told(certificate, other.path("key.pem")).contains("cannot be used for TLS"));
    fs::write(pem.path("empty.pem"), "").unwrap();
    assert!(!told(pem.path("empty.pem"), key).is_empty());
}
