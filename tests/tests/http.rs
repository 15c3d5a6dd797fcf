//! HTTP and secrets by lease, with real guests and real servers on this machine. What hostile guests try is in the corpus.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use leasehold_lease::{HttpGrant, Kind, SecretGrant};
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

const TOKEN: &str = "s3cret-Token/with+signs";

/// Every way to spell the token that a file could have it in.
fn spellings() -> Vec<String> {
    let hex: String = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent = TOKEN.replace('/', "%2F").replace('+', "%2B");
    // Base64 of the token by itself.
    let base64 = "czNjcmV0LVRva2VuL3dpdGgrc2lnbnM";
    vec![TOKEN.to_owned(), hex, percent, base64.to_owned()]
}

/// Files below a folder that have the token in them.
fn holding(folder: &Path, found: &mut Vec<String>) -> Test {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            holding(&path, found)?;
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            if spellings().iter().any(|spelling| text.contains(spelling)) {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(())
}

fn secret(value: serde_json::Value) -> Result<Vec<SecretGrant>, Fault> {
    Ok(vec![serde_json::from_value(value)?])
}

#[test]
fn a_secret_is_put_in_by_the_host_and_stands_nowhere_afterwards() -> Test {
    let rig = Rig::new()?;
    rig.know("token", TOKEN);
    let plugin = rig.plugin("fetch")?;
    // The server repeats what it was sent, in body and header.
    let answer = concat!(
        "HTTP/1.1 200 OK\r\ncontent-length: 31\r\nx-echo: Bearer s3cret-Token/with+signs\r\n\r\n",
        "Bearer s3cret-Token/with+signs!"
    );
    let (port, served) = answer_once(answer)?;
    let url = format!("http://127.0.0.1:{port}/a");
    let args = vec!["--include".to_owned(), url];
    let mut grant = Rig::grant(&plugin, Kind::Command);
    grant.args = vec![args.clone()];
    grant.http = vec![entry(port, "/a")?];
    grant.secrets = secret(serde_json::json!({
        "name": "token",
        "inject": {"host": "127.0.0.1", "port": port, "header": "authorization", "prefix": "Bearer "},
    }))?;
    let spec = CallSpec::new(Input::Run {
        args,
        stdin: Vec::new(),
    });
    let outcome = rig.call(&plugin, grant, spec)?;
    let asked = served.join().unwrap_or_default();
    assert!(
        asked.contains(&format!("authorization: Bearer {TOKEN}\r\n")),
        "{asked}"
    );
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(said.contains("Bearer ****"), "{said}");
    assert!(
        spellings().iter().all(|spelling| !said.contains(spelling)),
        "{said}"
    );
    let mut found = Vec::new();
    holding(rig.folder(), &mut found)?;
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

#[test]
fn an_exposed_secret_is_read_and_struck_from_all_that_is_said() -> Test {
    let rig = Rig::new()?;
    let plugin = rig.plugin("hostile/hostile-http")?;
    let url = "http://127.0.0.1:1/".to_owned();
    let args = vec!["read-secret".to_owned(), url, "token".to_owned()];
    let mut grant = Rig::grant(&plugin, Kind::Command);
    grant.args = vec![args.clone()];
    let spec = CallSpec::new(Input::Run {
        args,
        stdin: Vec::new(),
    });
    // Without the right there is nothing to find.
    rig.know("token", TOKEN);
    let without = rig.call(&plugin, grant.clone(), spec.clone())?;
    assert_ne!(without.summary.code, None, "{without:?}");
    grant.secrets = secret(serde_json::json!({"name": "token", "expose": true}))?;
    let outcome = rig.call(&plugin, grant, spec)?;
    assert_eq!(outcome.summary.code, None, "{outcome:?}");
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(said.contains("****"), "{said}");
    let mut found = Vec::new();
    holding(rig.folder(), &mut found)?;
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

#[test]
fn a_call_whose_secret_is_missing_is_never_made_and_not_spent() -> Test {
    let rig = Rig::new()?;
    let plugin = rig.plugin("fetch")?;
    let mut grant = Rig::grant(&plugin, Kind::Command);
    grant.secrets = secret(serde_json::json!({"name": "token", "expose": true}))?;
    let spec = CallSpec::new(Input::Run {
        args: Vec::new(),
        stdin: Vec::new(),
    });
    let refused = rig.refused(&plugin, grant.clone(), spec.clone())?;
    let code = refused.as_ref().map(leasehold_seal::Coded::code);
    assert_eq!(code, Some("SECRET-MISSING"));
    rig.know("token", TOKEN);
    assert!(rig.refused(&plugin, grant, spec)?.is_none());
    Ok(())
}

#[test]
fn a_secret_does_not_get_on_the_tape_as_part_of_a_refused_address() -> Test {
    let rig = Rig::new()?;
    // As a label of a host name, where the refusal names the host.
    rig.know("token", "abcdefgh12345678");
    let plugin = rig.plugin("fetch")?;
    let url = "http://abcdefgh12345678.example.com/".to_owned();
    let mut grant = Rig::grant(&plugin, Kind::Command);
    grant.args = vec![vec![url.clone()]];
    let spec = CallSpec::new(Input::Run {
        args: vec![url],
        stdin: Vec::new(),
    });
    let tape = || fs::read_to_string(rig.folder().join("home/tape/records.jsonl"));
    grant.secrets = secret(serde_json::json!({"name": "token", "expose": true}))?;
    let outcome = rig.call(&plugin, grant.clone(), spec.clone())?;
    assert_eq!(outcome.refused_requests[0].code, "HTTP-DENIED");
    assert!(!tape()?.contains("abcdefgh12345678"));
    // What is no secret is named.
    grant.secrets.clear();
    rig.call(&plugin, grant, spec)?;
    assert!(tape()?.contains("abcdefgh12345678"));
    Ok(())
}
