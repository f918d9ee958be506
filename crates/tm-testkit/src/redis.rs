//! A Redis server of a test's own, which ends with it and leaves nothing behind.
//!
//! Where none is installed, the tests that need one say so loudly and pass; the summary of the
//! suite counts that.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// A Redis server on this machine.
#[derive(Debug)]
pub struct RedisServer {
    pub port: u16,
    /// 0 when it does not encrypt.
    encrypted_port: u16,
    directory: TempDir,
    child: Child,
}

impl RedisServer {
    /// A server at a port that was free, or nothing where there is no `redis-server`.
    #[expect(clippy::print_stderr, reason = "who reads the log sees what was left out")]
    pub fn start() -> Option<Self> {
        for _ in 0..5 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?.port();
            let directory = TempDir::new().ok()?;
            match spawn([port, 0], &directory) {
                Ok(Some(child)) => return Some(Self { port, encrypted_port: 0, directory, child }),
                // Somebody else was given the port in between.
                Ok(None) => {}
                Err(error) => {
                    eprintln!("SKIPPED: redis-server cannot be started: {error}");
                    return None;
                }
            }
        }
        eprintln!("SKIPPED: redis-server was given no port");
        None
    }

    /// A server that encrypts as well, with a certificate that nobody else vouches for.
    #[expect(clippy::print_stderr, reason = "who reads the log sees what was left out")]
    pub fn start_encrypting() -> Option<Self> {
        let mut server = Self::start()?;
        server.stop();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).ok()?;
        fs::write(server.certificate(), pair.cert.pem()).ok()?;
        fs::write(server.directory.path().join("key.pem"), pair.signing_key.serialize_pem())
            .ok()?;
        server.encrypted_port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?.port();
        let is_ready = server.start_again();
        if !is_ready {
            eprintln!("SKIPPED: redis-server cannot encrypt here");
        }
        is_ready.then_some(server)
    }

    /// The address where it encrypts.
    pub fn encrypted_url(&self) -> String {
        format!("rediss://localhost:{}/0", self.encrypted_port)
    }

    /// The file with its certificate.
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    /// Its address, as clients write it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Ends it. It can be started again.
    pub fn stop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// The same server again, with nothing in it; whether that went well.
    pub fn start_again(&mut self) -> bool {
        let Ok(Some(child)) = spawn([self.port, self.encrypted_port], &self.directory) else {
            return false;
        };
        self.child = child;
        true
    }

    /// What it replies to a command, in its own protocol.
    ///
    /// # Errors
    /// Whatever is wrong with the connection.
    pub fn reply(&self, command: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes())?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A server that accepts connections; nothing when it ended at once.
fn spawn([port, encrypted]: [u16; 2], directory: &TempDir) -> io::Result<Option<Child>> {
    let mut command = Command::new("redis-server");
    if encrypted > 0 {
        let pem = |name: &str| directory.path().join(name);
        command.args(["--tls-port", &encrypted.to_string(), "--tls-auth-clients", "no"]);
        command.arg("--tls-cert-file").arg(pem("certificate.pem"));
        command.arg("--tls-ca-cert-file").arg(pem("certificate.pem"));
        command.arg("--tls-key-file").arg(pem("key.pem"));
    }
    let mut child = command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .arg("--dir")
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let Some(output) = child.stdout.take() else { return Ok(None) };
    let mut lines = BufReader::new(output).lines();
    let is_ready = lines.any(|it| it.is_ok_and(|it| it.contains("Ready to accept connections")));
    if !is_ready {
        child.wait()?;
        return Ok(None);
    }
    Ok(Some(child))
}
