//! What cannot make an earlier result count, and what is never kept.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use leasehold_seal::Digest;
use leasehold_tests::Fault;
use serde_json::Value;

use crate::known::{LAYOUT, ran};
use crate::site::{Desk, Test, gate, step};

/// The files that stand for results, with their contents.
fn entries(desk: &Desk) -> Result<Vec<(PathBuf, Vec<u8>)>, Fault> {
    let folder = desk.home().join("cache/results");
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    let read = |path: PathBuf| Ok((path.clone(), fs::read(path)?));
    paths.into_iter().map(read).collect()
}

#[test]
fn an_entry_that_was_touched_does_not_count() -> Test {
    let desk = Desk::new(&LAYOUT)?;
    desk.pipeline(&gate("one", "do = \"read\", path = \"docs/a.md\"", ""))?;
    desk.go(&[], 0)?;
    let (path, sound) = entries(&desk)?.pop().ok_or("no entry")?;
    let bad = (0..sound.len()).step_by(sound.len() / 9 + 1);
    let mut bad: Vec<Vec<u8>> = bad
        .map(|at| {
            let mut bytes = sound.clone();
            bytes[at] ^= 1;
            bytes
        })
        .collect();
    bad.extend([
        Vec::new(),
        sound[..sound.len() - 1].to_vec(),
        [&sound[..], b"x"].concat(),
    ]);
    for bytes in bad {
        fs::write(&path, &bytes)?;
        let why = desk.exits(&["cache", "explain", "one"], 5)?;
        assert!(why.out.contains("altered"), "{}", why.out);
        assert_eq!(ran(&desk.go(&[], 0)?), ["one"]);
        // It was written anew.
        assert!(ran(&desk.go(&[], 0)?).is_empty());
    }
    fs::remove_file(&path)?;
    assert_eq!(ran(&desk.go(&[], 0)?), ["one"]);
    Ok(())
}

/// A passing entry under the name of a failing one, from the same home and from another.
#[test]
fn an_entry_of_another_step_or_home_does_not_count() -> Test {
    let desk = Desk::new(&LAYOUT)?;
    let bad = gate("bad", "do = \"fail\", findings = 1, message_bytes = 1", "");
    desk.pipeline(&bad)?;
    desk.go(&[], 1)?;
    let (failing, sound) = entries(&desk)?.pop().ok_or("no entry")?;
    desk.pipeline(&[bad, gate("good", "do = \"pass\"", "")].concat())?;
    desk.go(&[], 1)?;
    let passing = entries(&desk)?
        .into_iter()
        .find(|(path, _)| *path != failing);
    let (passing, pass) = passing.ok_or("no second entry")?;
    fs::write(&failing, &pass)?;
    let run = desk.go(&[], 1)?;
    assert_eq!(ran(&run), ["bad"]);
    assert_eq!(step(&run, "bad")?["status"], "fail");
    fs::write(&failing, &sound)?;
    assert!(ran(&desk.go(&[], 1)?).is_empty());
    // The one of a home with another key, made for the same workspace, step and files.
    let other = Desk::new(&[])?;
    fs::write(other.home().join("secrets/cache.key"), [7; 32])?;
    assert_eq!(ran(&in_home(&desk, &other)?), ["bad", "good"]);
    assert!(ran(&in_home(&desk, &other)?).is_empty());
    let foreign = other.home().join("cache/results");
    let foreign = foreign.join(passing.file_name().ok_or("no name")?);
    fs::copy(foreign, &passing)?;
    assert_eq!(ran(&desk.go(&[], 1)?), ["good"]);
    Ok(())
}

/// A run in the workspace of the first with the home of the second.
fn in_home(desk: &Desk, other: &Desk) -> Result<Value, Fault> {
    let mut command = desk.command(&["run", "--format", "json"]);
    let output = command.env("LEASEHOLD_HOME", other.home()).output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// An entry counts only while the outcome it names stands on this tape.
#[test]
fn a_tape_that_does_not_hold_the_outcome_gives_no_result() -> Test {
    let desk = Desk::new(&LAYOUT)?;
    desk.pipeline(&gate("one", "do = \"read\", path = \"docs/a.md\"", ""))?;
    // A home of the same keys and the same tape, from before the run.
    let fork = Desk::new(&[])?;
    desk.go(&[], 0)?;
    assert!(ran(&desk.go(&[], 0)?).is_empty());
    let folder = fork.home().join("cache/results");
    fs::create_dir_all(&folder)?;
    for (path, bytes) in entries(&desk)? {
        fs::write(folder.join(path.file_name().ok_or("no name")?), bytes)?;
    }
    let explain = ["cache", "explain", "one"];
    let why = desk
        .command(&explain)
        .env("LEASEHOLD_HOME", fork.home())
        .output()?;
    let why = String::from_utf8(why.stdout)?;
    assert!(why.contains("not on this tape"), "{why}");
    assert_eq!(ran(&in_home(&desk, &fork)?), ["one"]);
    assert!(ran(&in_home(&desk, &fork)?).is_empty());
    Ok(())
}

#[test]
fn what_came_to_no_judgement_is_not_kept() -> Test {
    let desk = Desk::new(&LAYOUT)?;
    let steps = [
        gate("trap", "do = \"trap\"", ""),
        gate("spin", "do = \"spin\"", "") + "limits = { fuel = 5000000 }\n",
        gate("denied", "do = \"read\", path = \"other/c.md\"", ""),
        gate(
            "fault",
            "do = \"error\", kind = \"fault\", text = \"x\"",
            "",
        ),
        gate("off", "do = \"pass\"", "") + "cache = false\n",
        gate("on", "do = \"pass\"", ""),
    ];
    desk.pipeline(&steps.concat())?;
    desk.go(&[], 3)?;
    let run = desk.go(&[], 3)?;
    assert_eq!(ran(&run), ["trap", "spin", "denied", "fault", "off"]);
    assert_eq!(entries(&desk)?.len(), 1);
    Ok(())
}

#[test]
fn a_result_is_not_used_under_a_lease_that_has_expired() -> Test {
    let desk = Desk::new(&LAYOUT)?;
    desk.pipeline(&gate("one", "do = \"read\", path = \"docs/a.md\"", ""))?;
    desk.go(&[], 0)?;
    desk.exits(&["approve"], 0)?;
    assert!(ran(&desk.go(&[], 0)?).is_empty());
    assert_eq!(desk.bodies("cache.hit")?.len(), 1);
    desk.exits(&["approve", "--expires", "1s"], 0)?;
    std::thread::sleep(Duration::from_millis(1_100));
    let refused = desk.exits(&["run"], 3)?;
    assert!(
        refused.err.contains("error[LEASE-EXPIRED]"),
        "{}",
        refused.err
    );
    assert_eq!(desk.bodies("cache.hit")?.len(), 1);
    desk.exits(&["approve"], 0)?;
    assert!(ran(&desk.go(&[], 0)?).is_empty());
    Ok(())
}

/// Somebody writes while the gate reads. Whatever it says is about one of the two contents, and so is what is kept.
#[test]
fn what_changes_while_it_is_read_is_never_judged_half_and_half() -> Test {
    const BYTES: usize = 4 << 20;
    let (old, new) = (vec![b'a'; BYTES], vec![b'b'; BYTES]);
    let whole = [&old, &new].map(|content| Digest::of(content).to_string());
    for in_place in [true, false] {
        let desk = Desk::new(&[("docs/x.md", "x")])?;
        desk.write("docs/a.md", &old)?;
        let steps = [
            gate("digest", "do = \"digest\", path = \"docs/a.md\"", ""),
            gate(
                "pieces",
                "do = \"read-pieces\", path = \"docs/a.md\", offset = 0, max = 4194304, times = 3",
                "",
            ),
        ];
        desk.pipeline(&steps.concat())?;
        let target = desk.workspace().join("docs/a.md");
        let beside = desk.workspace().join("beside");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| -> Test {
                while !done.load(Ordering::Relaxed) {
                    for content in [&new, &old] {
                        if in_place {
                            File::options()
                                .write(true)
                                .open(&target)?
                                .write_all_at(content, 0)?;
                        } else {
                            fs::write(&beside, content)?;
                            fs::rename(&beside, &target)?;
                        }
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
                Ok(())
            });
            let runs = (0..12).try_for_each(|_| -> Test {
                let said = desk.run(&["run", "--format", "json"])?;
                let run: Value = serde_json::from_str(&said.out)?;
                let entry = step(&run, "digest")?;
                let told = entry["verdict"]["data"].as_str().unwrap_or_default();
                let told = told.trim_matches('"').trim_start_matches("sha256:");
                let sound = !told.is_empty() && whole.iter().any(|whole| whole.ends_with(told));
                if entry["status"] == "pass" && !sound {
                    // Not a panic: the writer would go on for ever.
                    return Err(format!("half and half: {entry}").into());
                }
                Ok(())
            });
            done.store(true, Ordering::Relaxed);
            let written = writer.join().map_err(|_panic| "the writer panicked")?;
            runs.and(written)
        })?;
        // In the end it stands still, and that is what is judged.
        let run = desk.go(&[], 0)?;
        let told = step(&run, "digest")?["verdict"]["data"].to_string();
        assert!(
            told.contains(whole[0].trim_start_matches("sha256:")),
            "{told}"
        );
    }
    Ok(())
}
