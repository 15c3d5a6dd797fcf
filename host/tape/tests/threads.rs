//! Many threads and killed processes.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use leasehold_seal::Coded as _;
use leasehold_tape::call::Ending;
use leasehold_tape::{Draft, Durability, Tape};
use support::sim::{Fault, Random};
use support::{
    MAC_KEY, SimDisk, TestClock, assert_holds, host_key, intent, note, open, outcome, path,
    read_all,
};

const THREADS: usize = 256;

#[test]
fn many_threads_share_their_syncs() {
    let disk = SimDisk::new();
    disk.slow_sync(Duration::from_millis(4));
    let tape = open(&disk).unwrap();
    let before = disk.counts();
    let start = Barrier::new(THREADS);
    let acknowledged: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (tape, start) = (&tape, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut mine = Vec::new();
                    for round in 0..3 {
                        let call = format!("c{thread}-{round}");
                        let begin = Draft::intent(&intent(&call, 100)).unwrap();
                        tape.append(vec![begin], Durability::Written).unwrap();
                        let end = outcome(&call, Ending::Returned, 40);
                        let end = Draft::outcome(&end).unwrap();
                        mine.extend(tape.append(vec![end], Durability::Synced).unwrap());
                    }
                    mine
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let after = disk.counts();
    assert_eq!(acknowledged.len(), THREADS * 3);
    assert_eq!(after.writes - before.writes, THREADS as u64 * 6);
    let syncs = after.syncs - before.syncs;
    assert!(
        syncs < THREADS as u64 * 3 / 8,
        "{syncs} syncs for {} appends",
        THREADS * 3
    );
    let survived = disk.after_power_cut(5);
    assert_holds(
        &survived.read(path("records.jsonl")).unwrap(),
        &acknowledged,
        "power cut",
    );
}

#[test]
fn a_failed_sync_answers_every_thread_that_waits() {
    let disk = SimDisk::new();
    disk.slow_sync(Duration::from_millis(1));
    let tape = open(&disk).unwrap();
    let failed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    match tape.append(vec![note("x")], Durability::Synced) {
                        Ok(_) => {}
                        Err(error) => {
                            assert!(matches!(error.code(), "TAPE-IO" | "TAPE-POISONED"));
                            failed.store(true, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(20));
        // Whatever operation it hits: a failed sync or lock is an error, a failed write is undone.
        for _ in 0..1000 {
            disk.arm(0, Fault::Fails(std::io::ErrorKind::Other));
            std::thread::sleep(Duration::from_micros(100));
            if failed.load(Ordering::Relaxed) {
                break;
            }
        }
    });
    assert!(failed.into_inner());
    drop(tape);
    open(&disk.after_death()).unwrap().close().unwrap();
}

#[test]
fn a_checkpoint_that_is_late_does_not_replace_a_later_one() {
    let disk = SimDisk::new();
    let (late, quick) = (open(&disk).unwrap(), open(&disk).unwrap());
    late.append(vec![note("a")], Durability::Written).unwrap();
    let cut = disk.read(path("records.jsonl")).unwrap().len();
    disk.slow_sync(Duration::from_millis(400));
    let newest = std::thread::scope(|scope| {
        let waits = scope.spawn(|| late.checkpoint().unwrap());
        std::thread::sleep(Duration::from_millis(100));
        disk.slow_sync(Duration::ZERO);
        quick.append(vec![note("b")], Durability::Written).unwrap();
        let newest = quick.close().unwrap();
        assert_ne!(waits.join().unwrap(), newest);
        newest
    });
    assert_eq!(disk.read(path("checkpoint")).unwrap(), newest.as_bytes());
    // The state file is now the late one: over fewer records than were signed.
    let records = disk.read(path("records.jsonl")).unwrap();
    let honest = disk.after_death();
    assert_eq!(open(&honest).unwrap().size(), 4);
    disk.put(path("records.jsonl"), &records[..cut]);
    assert_eq!(
        open(&disk.after_death()).unwrap_err().code(),
        "TAPE-TRUNCATED"
    );
}

const CHILD: &str = "LEASEHOLD_TAPE_TEST_CHILD";

/// Not a test of its own: the process that is killed below.
#[test]
fn child_appends_until_killed() {
    let Ok(dir) = std::env::var(CHILD) else {
        return;
    };
    let tape =
        Arc::new(Tape::open(&PathBuf::from(dir), host_key(), &MAC_KEY, TestClock::new()).unwrap());
    let mut threads = Vec::new();
    for thread in 0..4 {
        let tape = Arc::clone(&tape);
        threads.push(std::thread::spawn(move || {
            for n in 0_u64.. {
                let text = "x".repeat((n % 7 * 300) as usize);
                let call = format!("{}-{thread}-{n}", std::process::id());
                tape.append(
                    vec![Draft::intent(&intent(&call, 9)).unwrap(), note(&text)],
                    Durability::Written,
                )
                .unwrap();
                let end = Draft::outcome(&outcome(&call, Ending::Returned, 1)).unwrap();
                let appended = tape.append(vec![end], Durability::Synced).unwrap();
                let line = format!("ACK {} {}\n", appended[0].seq, appended[0].leaf);
                std::io::stdout().write_all(line.as_bytes()).unwrap();
                if n % 50 == 49 {
                    tape.close().unwrap();
                }
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn killed_processes_lose_nothing_they_acknowledged() {
    const ROUNDS: u64 = 40;
    let home = std::env::temp_dir().join(format!("leasehold-kill-{}", std::process::id()));
    let dir = home.join("tape");
    let mut random = Random(11);
    let mut acknowledged = Vec::new();
    for _ in 0..ROUNDS {
        // Two processes at once on one tape; both are killed.
        let mut children: Vec<_> = (0..2)
            .map(|_| {
                Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "child_appends_until_killed", "--nocapture"])
                    .env(CHILD, &dir)
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let readers: Vec<_> = children
            .iter_mut()
            .map(|child| {
                let output = BufReader::new(child.stdout.take().unwrap());
                std::thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>())
            })
            .collect();
        std::thread::sleep(Duration::from_millis(40 + random.below(80)));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        for reader in readers {
            for line in reader.join().unwrap() {
                let words: Vec<_> = line.split_whitespace().collect();
                if let [.., "ACK", seq, leaf] = words.as_slice()
                    && leaf.len() == 71
                {
                    acknowledged.push((seq.parse::<u64>().unwrap(), (*leaf).to_owned()));
                }
            }
        }
    }
    let tape = Tape::open(&dir, host_key(), &MAC_KEY, TestClock::new()).unwrap();
    tape.close().unwrap();
    let records = read_all(&std::fs::read(dir.join("records.jsonl")).unwrap());
    println!(
        "{ROUNDS} rounds, {} records, {} acknowledged",
        records.len(),
        acknowledged.len()
    );
    assert!(acknowledged.len() as u64 > ROUNDS);
    for (seq, leaf) in acknowledged {
        assert_eq!(records[seq as usize].leaf().to_string(), leaf);
    }
    std::fs::remove_dir_all(&home).unwrap();
}
