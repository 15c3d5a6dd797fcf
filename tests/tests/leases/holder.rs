//! Who may use a lease that names its holder: presentations made for this host, this lease and now, each for one use.

use leasehold_lease::Presentation;
use leasehold_seal::Envelope;
use serde_json::Value;

use crate::house::{House, Said, Test, after, id, text};

/// A host with a lease for whoever has the key `agent`, which lies in a home of its own; nothing there trusts the host.
fn two_homes() -> Result<(House, House, String), leasehold_tests::Fault> {
    let (host, agent) = (House::new()?, House::new()?);
    agent.good(&["key", "new", "agent"])?;
    std::fs::write(
        host.path("agent.pub"),
        agent.good(&["key", "export", "agent"])?.out,
    )?;
    host.issue("a.lease", &["--holder", "agent.pub"])?;
    host.send("a.lease", &agent)?;
    let keys = host.json(&["key", "list"])?;
    let this = text(&keys["keys"][0]["id"]).or_else(|_| text(&keys[0]["id"]))?;
    Ok((host, agent, this))
}

fn present(agent: &House, host: &str, lease: &str, out: &str) -> Test {
    agent.good(&[
        "lease", "present", lease, "--host", host, "--key", "agent", "-o", out,
    ])?;
    Ok(())
}

#[test]
fn the_holder_presents_from_a_home_elsewhere_and_once_only() -> Test {
    let (host, agent, this) = two_homes()?;
    host.refuses("a.lease", &[], 3, "HOLDER-MISSING")?;
    present(&agent, &this, "a.lease", "p1")?;
    agent.send("p1", &host)?;
    host.greets("a.lease", &["--presentation", "p1"])?;
    let verified = host.last("lease.verified")?;
    let shown: Presentation =
        Presentation::read(&Envelope::parse(&std::fs::read(host.path("p1"))?)?)?;
    assert_eq!(verified["presentation"]["nonce"], shown.nonce.as_str());
    // Once more, whoever has read along on the way.
    host.refuses(
        "a.lease",
        &["--presentation", "p1"],
        3,
        "PRESENTATION-REPLAYED",
    )?;
    host.bad(
        &["lease", "verify", "a.lease", "--presentation", "p1"],
        3,
        "PRESENTATION-REPLAYED",
    )?;
    present(&agent, &this, "a.lease", "p2")?;
    agent.send("p2", &host)?;
    host.greets("a.lease", &["--presentation", "p2"])?;
    host.closed()?;
    Ok(())
}

#[test]
fn a_presentation_is_good_for_its_host_lease_holder_and_time() -> Test {
    let (host, agent, this) = two_homes()?;
    let elsewhere = agent.last("tape.opened").or_else(|_| agent.closed())?;
    let other = elsewhere["host"].as_str().ok_or("no host")?.to_owned();
    host.issue("b.lease", &["--holder", "agent.pub"])?;
    host.send("b.lease", &agent)?;
    // For another host, and for another lease.
    present(&agent, &other, "a.lease", "host")?;
    present(&agent, &this, "b.lease", "lease")?;
    for (file, code) in [
        ("host", "PRESENTATION-HOST"),
        ("lease", "PRESENTATION-LEASE"),
    ] {
        agent.send(file, &host)?;
        host.refuses("a.lease", &["--presentation", file], 3, code)?;
    }
    // Made with more skill than the command line has: ended, for too long, and by another key.
    let (lease, key) = (id(&host, "a.lease")?, agent.key("agent")?);
    let (to, nonce) = (this.parse()?, "0123456789abcdef");
    host.stranger("mallory")?;
    let mallory = host.key("mallory.pem")?;
    let cases = [
        (&key, -1, "PRESENTATION-EXPIRED"),
        (&key, 700, "PRESENTATION-LONG"),
        (&mallory, 60, "PRESENTATION-KEY"),
    ];
    for (signer, seconds, code) in cases {
        let made = Presentation::sign(lease, to, nonce, after(seconds)?, signer)?;
        std::fs::write(host.path("made"), made.to_json()?)?;
        host.refuses("a.lease", &["--presentation", "made"], 3, code)?;
    }
    // Under the holder's key, signed by somebody else.
    let made = Presentation::sign(lease, to, nonce, after(60)?, &key)?;
    let mut forged: Value = serde_json::from_slice(&made.to_json()?)?;
    let strange = Presentation::sign(lease, to, nonce, after(60)?, &mallory)?;
    let strange: Value = serde_json::from_slice(&strange.to_json()?)?;
    forged["signatures"] = strange["signatures"].clone();
    std::fs::write(host.path("made"), forged.to_string())?;
    let said = host.run(&[
        "call",
        "hello.wasm",
        "--lease",
        "a.lease",
        "--presentation",
        "made",
    ])?;
    assert!(matches!(said.exit, 2 | 3) && said.out.is_empty(), "{said}");
    // The twin, with the same nonce: nothing of all that has spent it.
    std::fs::write(host.path("made"), made.to_json()?)?;
    host.greets("a.lease", &["--presentation", "made"])?;
    host.closed()?;
    Ok(())
}

#[test]
fn only_the_holder_makes_a_presentation() -> Test {
    let (host, agent, this) = two_homes()?;
    let args = ["lease", "present", "a.lease", "--host", &this, "--key"];
    host.bad(&[&args[..], &["local"]].concat(), 3, "PRESENTATION-KEY")?;
    let long = [&args[..], &["agent", "--expires", "11m"]].concat();
    agent.bad(&long, 64, "PRESENTATION-LONG")?;
    host.issue("free.lease", &[])?;
    host.send("free.lease", &agent)?;
    let free = [
        "lease",
        "present",
        "free.lease",
        "--host",
        &this,
        "--key",
        "agent",
    ];
    agent.bad(&free, 3, "PRESENTATION-KEY")?;
    // Presenting for a lease that names nobody is no way around anything.
    present(&agent, &this, "a.lease", "p")?;
    agent.send("p", &host)?;
    host.refuses(
        "free.lease",
        &["--presentation", "p"],
        3,
        "PRESENTATION-KEY",
    )?;
    host.greets("free.lease", &[])?;
    host.greets("a.lease", &["--presentation", "p"])?;
    host.closed()?;
    Ok(())
}

#[test]
fn of_processes_that_use_one_presentation_one_does() -> Test {
    let (host, agent, this) = two_homes()?;
    present(&agent, &this, "a.lease", "p")?;
    agent.send("p", &host)?;
    let call = [
        "call",
        "hello.wasm",
        "--lease",
        "a.lease",
        "--presentation",
        "p",
    ];
    let threads: Vec<_> = (0..4)
        .map(|_| host.command(&call))
        .map(|mut command| std::thread::spawn(move || Said::of(&mut command)))
        .collect();
    let mut exits = Vec::new();
    for thread in threads {
        exits.push(thread.join().map_err(|_| "a thread fell over")??.exit);
    }
    exits.sort_unstable();
    assert_eq!(exits, [0, 3, 3, 3]);
    assert_eq!(host.records("call.intent")?.len(), 1);
    assert_eq!(host.last("lease.denied")?["code"], "PRESENTATION-REPLAYED");
    host.closed()?;
    Ok(())
}
