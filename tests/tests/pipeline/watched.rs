//! The sentinel, and following a run.

use leasehold_tests::Fault;
use serde_json::Value;

use crate::ended::{await_records, start};
use crate::site::{Desk, Test, gate, said, step};

/// A step that judges by what the probe does with these arguments.
fn probe(id: &str, args: &str, more: &str) -> String {
    format!(
        "[[step]]\nid = \"{id}\"\ngate = \"probe\"\nargs = {args}\nread = [\"docs/**\"]\nexit = {{ pass = [0], fail = [1] }}\n{more}\n"
    )
}

#[test]
fn a_call_that_uses_too_much_is_halted() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    let grow = "[[step]]\nid = \"grow\"\ngate = \"grow\"\nread = [\"docs/**\"]\nexit = { pass = [0] }\n\
        limits = { memory_bytes = 67108864, fuel = 100000000000 }\n";
    desk.write("plugins/grow.wasm", grower()?)?;
    desk.pipeline(&format!("[sentinel]\nhalt = {{ memory = 50 }}\n{grow}"))?;
    let run = desk.go(&[], 4)?;
    assert_eq!(step(&run, "grow")?["code"], "SENTINEL-HALT");
    let samples = desk.bodies("resource.sampled")?;
    let last = samples.last().ok_or("no sample")?;
    assert_eq!(last["state"], "exceeded(memory)");
    assert_eq!(last["call"], step(&run, "grow")?["call"]);
    assert!(last["memory"]["used"].as_u64() > Some(32 << 20), "{last}");
    assert_eq!(desk.bodies("call.outcome")?[0]["code"], "SENTINEL-HALT");
    desk.pipeline(&format!("[sentinel]\nhalt = {{ memory = 90 }}\n{grow}"))?;
    desk.go(&[], 0)?;
    Ok(())
}

/// A program that takes 40 MiB, works on for a good while, and exits with 0.
fn grower() -> Result<Vec<u8>, Fault> {
    Ok(wat::parse_str(
        r#"(module
        (memory (export "memory") 1)
        (func (export "_start") (local $round i32)
            (if (i32.eq (memory.grow (i32.const 640)) (i32.const -1)) (then unreachable))
            (loop $more
                (local.set $round (i32.add (local.get $round) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $round) (i32.const 600000000))))))"#,
    )?)
}

#[test]
fn too_many_errors_halt_the_run() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    let steps = [
        gate("good", "do = \"pass\"", ""),
        gate("trap", "do = \"trap\"", ""),
        gate("behind", "do = \"pass\"", ""),
    ]
    .concat();
    for (errors, halted) in [(Some(40), true), (Some(50), false), (None, false)] {
        let sentinel = errors.map_or(String::new(), |errors| {
            format!("[sentinel]\nhalt = {{ errors = {errors} }}\n")
        });
        desk.pipeline(&(sentinel + &steps))?;
        let run = desk.go(&["--jobs", "1", "--no-cache"], 4)?;
        let expected = if halted {
            ("SENTINEL-HALT".into(), "not-run")
        } else {
            (Value::Null, "pass")
        };
        let entry = step(&run, "behind")?;
        assert_eq!(
            (&run["halted"], &entry["status"]),
            (&expected.0, &expected.1.into()),
            "{errors:?}"
        );
    }
    Ok(())
}

#[test]
fn a_long_call_is_sampled_and_can_be_followed() -> Test {
    let desk = Desk::new(&[("docs/a.md", "a")])?;
    desk.pipeline(&probe(
        "long",
        "[\"spin\"]",
        "limits = { fuel = 1000000000000000, wall_ms = 1500 }",
    ))?;
    let child = start(&desk, &[])?;
    await_records(&desk, "resource.sampled", 1)?;
    let now = desk.exits(&["status"], 5)?;
    assert!(
        now.out.contains("within_limits   long: fuel "),
        "{}",
        now.out
    );
    let followed = desk.exits(&["status", "--follow"], 4)?;
    assert!(
        followed.out.contains("long: fuel ") && followed.out.contains("time "),
        "{}",
        followed.out
    );
    assert!(
        followed.out.ends_with("finished: error\n"),
        "{}",
        followed.out
    );
    assert_eq!(said(&child.wait_with_output()?).exit, 4);
    let samples = desk.bodies("resource.sampled")?;
    assert!(samples.len() > 1, "{samples:?}");
    for sample in &samples {
        assert_eq!(sample["step"], "long");
        assert!(
            sample["fuel"]["used"].as_u64() > Some(0) && sample["wall_ms"]["limit"] == 1500,
            "{sample}"
        );
    }
    // What is over has its outcome, and following it ends at once.
    let over = desk.exits(&["status", "--follow"], 4)?;
    assert!(over.out.contains("error           long: "), "{}", over.out);
    let run = desk.bodies("run.started")?[0]["run"].clone();
    let document = desk.exits(
        &[
            "status",
            run.as_str().unwrap_or_default(),
            "--format",
            "json",
        ],
        4,
    )?;
    let document: Value = serde_json::from_str(&document.out)?;
    assert_eq!(
        (&document["finished"], &document["run"]),
        (&true.into(), &run)
    );
    desk.exits(&["status", "0000"], 5)?;
    Ok(())
}
