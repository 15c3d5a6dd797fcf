//! HTTP by lease, with real guests and real servers on this machine.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use leasehold_lease::{HttpGrant, Kind};
use leasehold_sandbox::{CallSpec, Input};
use leasehold_tests::{Fault, Rig};

type Test = Result<(), Fault>;

/// Answers one request with this, and gives what it was asked.
fn answer_once(answer: &'static str) -> Result<(u16, thread::JoinHandle<String>), Fault> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let served = thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else {
            return String::new();
        };
        let mut asked = Vec::new();
        let mut buffer = [0; 4096];
        while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(read) => asked.extend_from_slice(&buffer[..read]),
            }
        }
        let _ = stream.write_all(answer.as_bytes());
        String::from_utf8_lossy(&asked).into_owned()
    });
    Ok((port, served))
}

fn entry(port: u16, path: &str) -> Result<HttpGrant, Fault> {
    Ok(serde_json::from_value(serde_json::json!({
        "methods": ["GET"], "scheme": "http", "host": "127.0.0.1", "port": port, "path": path,
    }))?)
}

#[test]
fn a_program_fetches_what_its_lease_names_and_nothing_else() -> Test {
    let rig = Rig::new()?;
    let plugin = rig.plugin("fetch")?;
    let (port, served) = answer_once("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")?;
    let url = format!("http://127.0.0.1:{port}/a/b?c=d");
    let mut grant = Rig::grant(&plugin, Kind::Command);
    grant.args = vec![vec![url.clone()]];
    grant.http = vec![entry(port, "/a/**")?];
    let spec = CallSpec::new(Input::Run {
        args: vec![url],
        stdin: Vec::new(),
    });
    let outcome = rig.call(&plugin, grant.clone(), spec.clone())?;
    assert_eq!(
        String::from_utf8_lossy(&outcome.stdout),
        "hello",
        "{outcome:?}"
    );
    let asked = served.join().unwrap_or_default();
    assert!(asked.starts_with("GET /a/b?c=d HTTP/1.1\r\n"), "{asked}");
    assert_eq!(outcome.requests.len(), 1);
    grant.http = vec![entry(port, "/other/**")?];
    let refused = rig.call(&plugin, grant, spec)?;
    assert_eq!(refused.refused_requests.len(), 1, "{refused:?}");
    assert_eq!(refused.refused_requests[0].code, "HTTP-DENIED");
    assert!(refused.requests.is_empty());
    Ok(())
}
