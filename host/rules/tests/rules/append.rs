//! Adding a step to a file that people write.

use leasehold_lease::{EnvGrant, FileGrant, LimitsSpec};
use leasehold_rules::{Config, ExitCodes, StepSpec, Uses, append_step};
use serde_json::json;

use crate::common::*;

/// A step with nothing but its id and plugin.
pub(crate) fn bare(id: &str) -> StepSpec {
    StepSpec {
        id: id.to_owned(),
        uses: Uses::Gate("x".to_owned()),
        files: FileGrant::default(),
        skip: Vec::new(),
        args: Vec::new(),
        config: None,
        env: EnvGrant::default(),
        http: Vec::new(),
        secrets: Vec::new(),
        needs: Vec::new(),
        exit: None,
        limits: LimitsSpec::default(),
        cache: true,
    }
}

#[test]
fn a_new_file_begins_with_its_version() {
    let text = append_step("", &bare("a")).unwrap();
    assert_eq!(text, "version = 1\n\n[[step]]\nid = \"a\"\ngate = \"x\"\n");
    let comment = append_step("\u{feff}# rules\r\n", &bare("a")).unwrap();
    assert_eq!(
        comment,
        "\u{feff}# rules\r\nversion = 1\r\n\r\n[[step]]\r\nid = \"a\"\r\ngate = \"x\"\r\n"
    );
}

#[test]
fn everything_a_step_can_say_is_written_and_the_rest_stays() {
    let config = json!({"b c": [1, 2.5, {"x": "\n\u{7f}"}], "a": {}});
    let full = StepSpec {
        uses: Uses::Command("y".to_owned()),
        files: FileGrant {
            list: patterns(&["**"]),
            read: patterns(&["a\"b"]),
            write: patterns(&["docs/**", "*.md"]),
            deny: patterns(&["**/.env"]),
        },
        skip: patterns(&["target/**"]),
        args: vec!["a\r\nb".to_owned(), "\u{7f}'\\".to_owned()],
        config: Some(Config::new(config.as_object().unwrap().clone()).unwrap()),
        env: EnvGrant {
            pass: vec!["LANG".to_owned()],
            set: [("CI".to_owned(), "tr\"ue".to_owned())].into(),
        },
        needs: vec!["secrets".to_owned()],
        exit: Some(ExitCodes {
            pass: vec![0, 2],
            fail: vec![],
        }),
        limits: LimitsSpec {
            fuel: Some(5),
            write_bytes: Some(0),
            ..LimitsSpec::default()
        },
        cache: false,
        ..bare("full")
    };
    for end in ["", "\n", "# end without a line feed"] {
        let before = format!("{EXAMPLE}{end}");
        let text = append_step(&before, &full).unwrap();
        assert!(text.starts_with(&before));
        assert_eq!(pipeline(&text).steps()[3].spec, full);
        assert!(!text.contains('\r'));
    }
    let crlf = append_step(&EXAMPLE.replace('\n', "\r\n"), &full).unwrap();
    assert_eq!(pipeline(&crlf).steps()[3].spec, full);
    assert_eq!(crlf.matches('\n').count(), crlf.matches("\r\n").count());
    let added = append_step("version = 1\n", &bare("secrets")).unwrap();
    let added = append_step(&added, &full).unwrap();
    assert_eq!(
        added.split_once("[[step]]\nid = \"full\"\n").unwrap().1,
        r#"command = "y"
list = ["**"]
read = ["a\"b"]
write = ["docs/**", "*.md"]
deny = ["**/.env"]
skip = ["target/**"]
args = ["a\r\nb", "\u007f'\\"]
config = { a = {}, "b c" = [1, 2.5, { x = "\n\u007f" }] }
env = { pass = ["LANG"], set = { CI = "tr\"ue" } }
needs = ["secrets"]
exit = { fail = [], pass = [0, 2] }
limits = { fuel = 5, write_bytes = 0 }
cache = false
"#
    );
}

#[test]
fn nothing_is_returned_that_cannot_be_read() {
    let refused = |text: &str, step: &StepSpec| codes_of(&append_step(text, step).unwrap_err());
    assert_eq!(refused(EXAMPLE, &bare("toc")), ["STEP-DUPLICATE"]);
    assert_eq!(refused(EXAMPLE, &bare("Toc")), ["STEP-ID"]);
    assert_eq!(refused("[sentinel]\n", &bare("a")), ["PIPELINE-MISSING"]);
    assert_eq!(
        refused("version = 1\nstep = []\n", &bare("a")),
        ["PIPELINE-TYPE"]
    );
    assert_eq!(refused("version = ", &bare("a")), ["PIPELINE-SYNTAX"]);
    let needy = StepSpec {
        needs: vec!["nobody".to_owned()],
        ..bare("a")
    };
    assert_eq!(refused(EXAMPLE, &needy), ["STEP-UNKNOWN"]);
    assert!(append_step(EXAMPLE, &bare("a")).is_ok());
}

#[test]
fn a_configuration_is_json_that_toml_can_say() {
    for (bad, good) in [
        (json!({"a": null}), json!({"a": ""})),
        (
            json!({"a": [9007199254740992_u64]}),
            json!({"a": [9007199254740991_u64]}),
        ),
        (json!({"a": -1e300}), json!({"a": -1.5e15})),
    ] {
        let make = |value: &serde_json::Value| Config::new(value.as_object().unwrap().clone());
        let error = make(&bad).unwrap_err();
        assert_eq!(codes_of(&[error]), ["CONFIG-VALUE"]);
        let step = StepSpec {
            config: Some(make(&good).unwrap()),
            ..bare("a")
        };
        let text = append_step("", &step).unwrap();
        assert_eq!(pipeline(&text).steps()[0].spec, step);
    }
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let make = |depth| Config::new([("a".to_owned(), nested(depth))].into_iter().collect());
    assert!(make(62).is_ok() && make(63).is_err());
}
