//! Each rule finds what it is for, and not what only looks a little like it. The secrets here are made up and put together when the test
//! runs, so that no scanner, this one included, finds them in this file.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

use secrets_scan::{Rule, Rules, Settings, scan};

/// `length` characters that look random, of this alphabet, always the same.
fn random(alphabet: &str, length: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ length as u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[(state % letters.len() as u64) as usize]
    };
    (0..length).map(|_| next()).collect()
}

const LOWER_HEX: &str = "0123456789abcdef";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn names(path: &str, content: &str) -> Vec<&'static str> {
    let rules = Rules::new(Settings::default()).unwrap();
    let hits = scan(path, content.as_bytes(), &rules);
    hits.iter().map(|hit| hit.rule.name).collect()
}

/// Rule, what a secret begins with, alphabet and length of the rest, what it ends with.
const SHAPES: &[(&str, &str, &str, usize, &str)] = &[
    ("aws-access-key", "AKIA", BASE32, 16, ""),
    ("aws-access-key", "ASIA", BASE32, 16, ""),
    ("github-token", "ghp_", ALPHANUMERIC, 36, ""),
    ("github-token", "gho_", ALPHANUMERIC, 36, ""),
    ("github-token", "ghs_", ALPHANUMERIC, 36, ""),
    ("github-token", "github_pat_", ALPHANUMERIC, 82, ""),
    ("gitlab-token", "glpat-", ALPHANUMERIC, 20, ""),
    ("slack-token", "xoxb-123456789012-", ALPHANUMERIC, 30, ""),
    (
        "slack-webhook",
        "hooks.slack.com/services/T01234567/B01234567/",
        ALPHANUMERIC,
        24,
        "",
    ),
    ("stripe-key", "sk_live_", ALPHANUMERIC, 24, ""),
    ("stripe-key", "rk_live_", ALPHANUMERIC, 24, ""),
    ("google-api-key", "AIza", ALPHANUMERIC, 35, ""),
    ("google-oauth", "GOCSPX-", ALPHANUMERIC, 28, ""),
    ("npm-token", "npm_", ALPHANUMERIC, 36, ""),
    ("pypi-token", "pypi-AgEIcHlwaS5vcmc", ALPHANUMERIC, 80, ""),
    (
        "jwt",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.",
        ALPHANUMERIC,
        43,
        "",
    ),
    ("azure-account-key", "AccountKey=", ALPHANUMERIC, 86, "=="),
    ("azure-client-secret", "aB18Q~", ALPHANUMERIC, 34, ""),
    ("gcp-service-key", "private_key_id\": \"", LOWER_HEX, 40, ""),
    ("telegram-token", "123456789:AA", ALPHANUMERIC, 33, ""),
    ("digitalocean-token", "dop_v1_", LOWER_HEX, 64, ""),
    ("anthropic-key", "sk-ant-api03-", ALPHANUMERIC, 90, ""),
    ("openai-key", "sk-proj-", ALPHANUMERIC, 60, ""),
    ("huggingface-token", "hf_", ALPHANUMERIC, 34, ""),
    ("shopify-token", "shpat_", LOWER_HEX, 32, ""),
    ("square-token", "sq0atp-", ALPHANUMERIC, 22, ""),
    ("mailgun-key", "key-", LOWER_HEX, 32, ""),
    (
        "discord-webhook",
        "/api/webhooks/123456789012345678/",
        ALPHANUMERIC,
        68,
        "",
    ),
    ("docker-token", "dckr_pat_", ALPHANUMERIC, 27, ""),
    ("vault-token", "hvs.", ALPHANUMERIC, 30, ""),
    ("linear-key", "lin_api_", ALPHANUMERIC, 40, ""),
    ("newrelic-key", "NRAK-", BASE32, 27, ""),
    ("databricks-token", "dapi", LOWER_HEX, 32, ""),
    ("doppler-token", "dp.pt.", ALPHANUMERIC, 43, ""),
    ("pulumi-token", "pul-", LOWER_HEX, 40, ""),
    ("rubygems-key", "rubygems_", LOWER_HEX, 48, ""),
    ("crates-token", "cio", ALPHANUMERIC, 32, ""),
    ("supabase-token", "sbp_", LOWER_HEX, 40, ""),
    ("age-key", "AGE-SECRET-KEY-1", BASE32, 58, ""),
    ("atlassian-token", "ATATT3xFfGF0", ALPHANUMERIC, 180, ""),
];

#[test]
fn a_secret_is_found_by_its_shape_wherever_it_stands() {
    for (rule, head, alphabet, length, tail) in SHAPES {
        let secret = format!("{head}{}{tail}", random(alphabet, *length));
        for (before, after) in [
            ("", ""),
            ("x = \"", "\";"),
            ("é ", "\r\n"),
            ("\n\n(", ")"),
            ("a,", ",b"),
        ] {
            let content = format!("{before}{secret}{after}");
            assert_eq!(names("a.txt", &content), [*rule], "{content}");
        }
    }
}

#[test]
fn less_or_part_of_a_word_is_not_enough() {
    for (rule, head, alphabet, length, tail) in SHAPES {
        let rest = random(alphabet, length / 2);
        let short = format!("{head}{rest}{tail}");
        assert!(!names("a.txt", &short).contains(rule), "{short}");
        let repeated = format!("{head}{}{tail}", "a".repeat(*length));
        assert!(!names("a.txt", &repeated).contains(rule), "{repeated}");
        if head.starts_with(|char: char| char.is_ascii_alphanumeric())
            && !head.starts_with(|char: char| char.is_ascii_digit())
        {
            let whole = format!("x{head}{}{tail}", random(alphabet, *length));
            let found = names("a.txt", &whole);
            // Those with a fixed number of characters ahead take the x for none of theirs.
            assert!(
                !found.contains(rule) || *rule == "azure-client-secret",
                "{whole}: {found:?}"
            );
        }
    }
}

#[test]
fn longer_than_the_issuer_makes_them_is_another_thing() {
    for (head, alphabet, length) in [
        ("AKIA", BASE32, 17),
        ("npm_", ALPHANUMERIC, 37),
        ("AIza", ALPHANUMERIC, 36),
        ("key-", LOWER_HEX, 33),
    ] {
        let content = format!("{head}{}", random(alphabet, length));
        assert_eq!(names("a.txt", &content), [""; 0], "{content}");
    }
}

#[test]
fn the_remaining_shapes_have_several_parts() {
    let hex = |length| random(LOWER_HEX, length);
    let any = |length| random(ALPHANUMERIC, length);
    for (rule, secret) in [
        ("sendgrid-key", format!("SG.{}.{}", any(22), any(43))),
        ("grafana-token", format!("glsa_{}_{}", any(32), hex(8))),
        ("postman-key", format!("PMAK-{}-{}", hex(24), hex(34))),
        (
            "terraform-token",
            format!("{}.atlasv1.{}", any(14), any(67)),
        ),
    ] {
        for before in ["", " ", "  ", "=\""] {
            assert_eq!(
                names("a.txt", &format!("{before}{secret}")),
                [rule],
                "{secret}"
            );
        }
        let broken = secret.replacen(['.', '_', '-'], "/", 2);
        assert!(!names("a.txt", &broken).contains(&rule), "{broken}");
    }
}

#[test]
fn private_keys_are_found_by_header_and_material() {
    let body = random(ALPHANUMERIC, 64);
    let dashes = "-".repeat(5);
    for kind in ["", "RSA ", "EC ", "DSA ", "ENCRYPTED ", "OPENSSH "] {
        let begin = format!("{dashes}BEGIN {kind}PRIVATE KEY{dashes}");
        let end = format!("{dashes}END {kind}PRIVATE KEY{dashes}");
        for content in [
            format!("{begin}\n{body}\n{end}\n"),
            format!("{begin}\r\n{body}\r\n{end}"),
            format!("key = \"{begin}\\n{body}\\n{end}\\n\""),
            format!("  {begin}\n  Proc-Type: 4,ENCRYPTED\n\n  {body}\n  {end}"),
            format!("# {begin}\nshort\n"),
            begin.clone(),
        ] {
            assert_eq!(names("a.pem", &content), ["private-key"], "{content}");
        }
        for content in [
            format!("the header is `{begin}`, then base64"),
            format!("starts_with(\"{begin}\")"),
            begin.replace("PRIVATE", "PUBLIC"),
            begin.replace("BEGIN", "END"),
            begin.replace("PRIVATE KEY", "CERTIFICATE"),
            begin.replace("KEY-", "KEY "),
        ] {
            assert_eq!(names("a.rs", &content), [""; 0], "{content}");
        }
    }
    let block = format!("{dashes}BEGIN PGP PRIVATE KEY BLOCK{dashes}\nVersion: 1\n\n{body}\n");
    assert_eq!(names("a.asc", &block), ["private-key"]);
    let putty = format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n{body}\nPrivate-MAC: 0\n"
    );
    assert_eq!(names("a.ppk", &putty), ["private-key"]);
    assert_eq!(
        names("a.ppk", &putty.replace("Private-Lines", "Public-Lines")),
        [""; 0]
    );
    assert_eq!(
        names("a.ppk", &putty.replace("File-3:", "File-x:")),
        [""; 0]
    );
}

#[test]
fn two_keys_in_one_file_are_two() {
    let dashes = "-".repeat(5);
    let key = format!(
        "{dashes}BEGIN PRIVATE KEY{dashes}\n{}\n{dashes}END PRIVATE KEY{dashes}\n",
        random(ALPHANUMERIC, 64)
    );
    assert_eq!(names("a.pem", &key.repeat(2)), ["private-key"; 2]);
}

#[test]
fn random_values_of_telling_names_are_found_in_every_notation() {
    let value = random(ALPHANUMERIC, 24);
    for content in [
        format!("password = \"{value}\""),
        format!("DB_PASSWORD='{value}'"),
        format!("{{\"client_secret\": \"{value}\"}}"),
        format!("{{\\\"apiKey\\\":\\\"{value}\\\"}}"),
        format!("let api_key: &'static str = \"{value}\";"),
        format!("const TOKEN: Option<String> = r\"{value}\";"),
        format!("config[\"access-key\"] = `{value}`"),
        format!(".password(\"{value}\")"),
        format!("headers.insert(\"auth_token\", \"{value}\")"),
        format!("<Password>{value}</Password>"),
        format!("secret => '{value}',"),
        format!("token := \"{value}\""),
        format!("if password == \"{value}\" {{"),
        format!("SECRET_KEY_BASE=\"{value}\""),
        format!("aws_secret_access_key = \"{value}\""),
        format!("passwd2: b\"{value}\""),
        format!("PASSPHRASE = \"\"\"{value}\"\"\""),
    ] {
        assert_eq!(names("a.rs", &content), ["assignment"], "{content}");
    }
}

#[test]
fn near_misses_of_assignments_are_left_alone() {
    let value = random(ALPHANUMERIC, 24);
    for content in [
        format!("token_type = \"{value}\""),
        format!("tokenizer = \"{value}\""),
        format!("password_hash_algorithm = \"{value}\""),
        format!("name = \"{value}\""),
        format!("password {value}"),
        format!("password = {value}"),
        format!("password = \"{value}\n\""),
        format!("password = \"{value} and more words\""),
        "password = \"changeme123!\"".to_owned(),
        "password = \"${DB_PASSWORD_1}\"".to_owned(),
        "password = \"<your password 1>\"".to_owned(),
        "password = \"aaaaaaaaaaaa1111\"".to_owned(),
        "password = \"correct-horse-battery\"".to_owned(),
        "secret = \"/run/secrets/db1_x9\"".to_owned(),
        "token = \"abc\"".to_owned(),
        "api_key = os.environ[\"API_KEY\"]".to_owned(),
        "api_key: process.env.KEY1,".to_owned(),
    ] {
        assert_eq!(names("a.rs", &content), [""; 0], "{content}");
    }
}

#[test]
fn values_without_quotes_count_where_files_have_them() {
    let value = random(ALPHANUMERIC, 24);
    for path in [
        ".env",
        "a/.env.local",
        "a/app.properties",
        "x.YML",
        ".npmrc",
        "deploy.sh",
    ] {
        for line in [
            format!("API_TOKEN={value}\n"),
            format!("export DB_PASSWORD={value} # prod\r\n"),
            format!("  client_secret: {value}"),
        ] {
            assert_eq!(names(path, &line), ["assignment"], "{path}: {line}");
            assert_eq!(names("a.rs", &line), [""; 0], "{line}");
        }
        for line in [
            "TOKEN=$OTHER_TOKEN1",
            "password: two words1",
            "password:\n",
            "SECRET=get_secret(a1)",
        ] {
            assert_eq!(names(path, line), [""; 0], "{path}: {line}");
        }
    }
}

#[test]
fn passwords_in_addresses_are_found() {
    let value = random(ALPHANUMERIC, 16);
    for content in [
        format!("postgres://user:{value}@db.internal/x"),
        format!("redis://:{value}@10.0.0.1"),
        format!("see https://me:{value}@host.org, please"),
    ] {
        assert_eq!(names("a.md", &content), ["url-password"], "{content}");
    }
    for content in [
        "postgres://user:password@localhost/x".to_owned(),
        "https://user:${PASSWORD_1}@host".to_owned(),
        format!("https://host.org/{value}:{value}@x"),
        format!("https://{value}@host.org"),
        "https://host.org:8080/a@b".to_owned(),
    ] {
        assert_eq!(names("a.md", &content), [""; 0], "{content}");
    }
}

#[test]
fn the_more_particular_rule_holds() {
    let token = format!("ghp_{}", random(ALPHANUMERIC, 36));
    for content in [
        format!("token = \"{token}\""),
        format!("https://x-access-token:{token}@github.com/a/b"),
    ] {
        assert_eq!(names("a.rs", &content), ["github-token"], "{content}");
    }
    let settings = Settings {
        off: vec!["github-token".to_owned()],
        ..Settings::default()
    };
    let rules = Rules::new(settings).unwrap();
    let hits = scan("a.rs", format!("token = \"{token}\"").as_bytes(), &rules);
    assert_eq!(
        hits.iter().map(|hit| hit.rule.name).collect::<Vec<_>>(),
        ["assignment"]
    );
}

#[test]
fn settings_are_kept_to() {
    let value = random(ALPHANUMERIC, 24);
    let content = format!("password = \"{value}\"");
    let count =
        |settings: Settings| scan("a.rs", content.as_bytes(), &Rules::new(settings).unwrap()).len();
    assert_eq!(count(Settings::default()), 1);
    assert_eq!(
        count(Settings {
            off: vec!["assignment".to_owned()],
            ..Settings::default()
        }),
        0
    );
    assert_eq!(
        count(Settings {
            test_vectors: vec![value.to_uppercase()],
            ..Settings::default()
        }),
        0
    );
    assert_eq!(
        count(Settings {
            test_vectors: vec!["other".to_owned()],
            ..Settings::default()
        }),
        1
    );
    assert_eq!(
        count(Settings {
            min_entropy: 600,
            ..Settings::default()
        }),
        usize::from(entropy(&value) >= 0.9 * 24_f64.log2())
    );
    for wrong in [
        Settings {
            off: vec!["no-such-rule".to_owned()],
            ..Settings::default()
        },
        Settings {
            min_entropy: 601,
            ..Settings::default()
        },
        Settings {
            test_vectors: vec!["abc".to_owned()],
            ..Settings::default()
        },
    ] {
        assert!(Rules::new(wrong).is_err());
    }
}

fn entropy(text: &str) -> f64 {
    let count =
        |char| text.chars().filter(|other| *other == char).count() as f64 / text.len() as f64;
    text.chars()
        .map(|char| -count(char).log2() / text.len() as f64)
        .sum()
}

#[test]
fn every_rule_has_its_own_name_and_is_tried_here() {
    let tried: Vec<&str> = SHAPES.iter().map(|shape| shape.0).collect();
    let elsewhere = [
        "private-key",
        "assignment",
        "url-password",
        "sendgrid-key",
        "grafana-token",
        "postman-key",
        "terraform-token",
    ];
    for rule in Rule::all() {
        assert!(
            tried.contains(&rule.name) || elsewhere.contains(&rule.name),
            "{}",
            rule.name
        );
        assert_eq!(Rule::named(rule.name), Some(rule));
    }
}
