//! Whom the host believes to be whom.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

use leasehold_http::{Client, Roots};
use leasehold_seal::Coded;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::common::{Names, Server, client, limits, ok, permit, plain, read_head, send};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/http");

/// A server with one of the certificates of the fixtures; it returns the header it was sent, where the handshake worked.
fn secured(certificate: &'static str) -> Server<Option<String>> {
    Server::start(move |stream| {
        let mut stream = accept(certificate, stream);
        let head = read_head(&mut stream);
        if head.is_empty() {
            return None;
        }
        stream.write_all(ok("", "hello").as_bytes()).unwrap();
        stream.conn.send_close_notify();
        let _ = stream.flush();
        Some(head)
    })
}

fn accept(certificate: &str, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let path = |ending: &str| format!("{FIXTURES}/{certificate}.{ending}");
    let chain = vec![CertificateDer::from_pem_file(path("pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(path("key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream)
}

/// What a client that trusts the fixtures' root makes of it.
fn visit(
    client: &Client,
    host: &str,
    certificate: &'static str,
) -> (Result<String, String>, Option<String>) {
    let server = secured(certificate);
    let url = format!("https://{host}:{}/", server.port);
    let blocks: &[&str] = if host == "127.0.0.1" {
        &[]
    } else {
        &["127.0.0.0/8"]
    };
    let outgoing = plain(permit("GET", &url, blocks), &[], "").unwrap();
    let answer = send(client, outgoing)
        .map(|answer| answer.body)
        .map_err(|error| {
            assert_eq!(error.code(), "HTTP-TLS", "{error}");
            error.to_string()
        });
    (answer, server.end())
}

#[test]
fn the_right_server_is_believed() {
    for host in ["good.test", "any.wild.test", "127.0.0.1"] {
        let (answer, head) = visit(&client(), host, "good");
        assert_eq!(answer.as_deref(), Ok("hello"), "{host}");
        assert!(head.unwrap().contains(&format!("host: {host}:")));
    }
}

/// Nothing of the request goes to a server that is not the right one.
#[test]
fn no_other_server_is() {
    for (host, certificate, problem) in [
        ("evil.test", "good", "for another name"),
        ("wild.test", "good", "for another name"),
        ("a.b.wild.test", "good", "for another name"),
        ("good.test", "strange", "no trusted root"),
        ("good.test", "expired", "has expired"),
    ] {
        let (answer, head) = visit(&client(), host, certificate);
        let said = answer.unwrap_err();
        assert!(said.contains(problem), "{host} {certificate}: {said}");
        assert_eq!(head, None, "{host} {certificate}");
    }
}

#[test]
fn the_roots_of_the_system_do_not_trust_the_fixtures() {
    let client = Client::new(
        Arc::new(Names::new(&[&["127.0.0.1"]])),
        Roots::System,
        limits(),
    );
    let (answer, head) = visit(&client, "good.test", "good");
    assert!(answer.is_err() && head.is_none());
}

#[test]
fn roots_come_from_pem() {
    assert!(Roots::from_pem(b"").is_err());
    assert!(
        Roots::from_pem(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_err()
    );
    assert!(Roots::from_pem(&std::fs::read(format!("{FIXTURES}/root.pem")).unwrap()).is_ok());
    // A certificate of no one is no root.
    let nobody = Client::new(
        Arc::new(Names::new(&[&["127.0.0.1"]])),
        Roots::Given(Vec::new()),
        limits(),
    );
    let (answer, _) = visit(&nobody, "good.test", "good");
    assert!(answer.unwrap_err().contains("no trusted root certificates"));
}

/// A response without length ends with the connection; who cuts the connection does not thereby end the response.
#[test]
fn a_response_that_is_cut_off_is_an_error() {
    for (close, fine) in [(true, true), (false, false)] {
        let server = Server::start(move |stream| {
            let mut stream = accept("good", stream);
            read_head(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").unwrap();
            if close {
                stream.conn.send_close_notify();
            }
            let _ = stream.flush();
        });
        let url = format!("https://good.test:{}/", server.port);
        let outgoing = plain(permit("GET", &url, &["127.0.0.0/8"]), &[], "").unwrap();
        let answer = send(&client(), outgoing);
        assert_eq!(answer.is_ok(), fine, "{answer:?}");
        server.end();
    }
}

/// Without TLS on the other side there is no answer in the clear either.
#[test]
fn https_is_never_plain() {
    let server = Server::start(|mut stream| {
        let _ = stream.write_all(ok("", "hello").as_bytes());
        let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
    });
    let url = format!("https://good.test:{}/", server.port);
    let outgoing = plain(permit("GET", &url, &["127.0.0.0/8"]), &[], "").unwrap();
    assert_eq!(send(&client(), outgoing).unwrap_err().code(), "HTTP-TLS");
    server.end();
}

/// `SSL_CERT_FILE` is read by a process of its own: this one's environment is not changed.
#[test]
fn the_environment_says_which_roots() {
    const CHILD: &str = "LEASEHOLD_TEST_ROOTS";
    if std::env::var_os(CHILD).is_some() {
        let client = Client::new(
            Arc::new(Names::new(&[&["127.0.0.1"]])),
            Roots::System,
            limits(),
        );
        let (answer, _) = visit(&client, "good.test", "good");
        assert_eq!(answer.as_deref(), Ok("hello"));
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::the_environment_says_which_roots"])
        .env(CHILD, "1")
        .env("SSL_CERT_FILE", format!("{FIXTURES}/root.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}",
        String::from_utf8_lossy(&child.stdout)
    );
}
