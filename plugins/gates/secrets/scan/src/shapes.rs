//! The keys and tokens that say themselves what they are. Lengths are those the issuers document or were seen to use; where an issuer
//! says that they may grow there is room.

use crate::class::{
    alphanumeric, azure, base32, base64, base64_url, digit, hex, lower_hex, upper, word,
};
use crate::hit::Rule;
use crate::shape::{Part, Run, Shape, run};

macro_rules! rules {
    ($($id:ident $name:literal $what:literal)*) => {
        $(const $id: Rule = Rule { name: $name, what: $what, rank: 1 };)*
    };
}

rules! {
    AGE "age-key" "a secret key of age"
    ANTHROPIC "anthropic-key" "an API key of Anthropic"
    ATLASSIAN "atlassian-token" "an API token of Atlassian"
    AWS "aws-access-key" "an access key of AWS"
    AZURE_CLIENT "azure-client-secret" "the secret of an Azure application"
    AZURE_STORAGE "azure-account-key" "an account key of Azure"
    CRATES "crates-token" "a token of crates.io"
    DATABRICKS "databricks-token" "a token of Databricks"
    DIGITALOCEAN "digitalocean-token" "a token of DigitalOcean"
    DISCORD "discord-webhook" "the address of a Discord webhook"
    DOCKER "docker-token" "an access token of Docker Hub"
    DOPPLER "doppler-token" "a token of Doppler"
    GCP "gcp-service-key" "a key of a Google Cloud service account"
    GITHUB "github-token" "a token of GitHub"
    GITLAB "gitlab-token" "a token of GitLab"
    GOOGLE "google-api-key" "an API key of Google"
    GOOGLE_OAUTH "google-oauth" "an OAuth secret of Google"
    GRAFANA "grafana-token" "a token of Grafana"
    HUGGING_FACE "huggingface-token" "a token of Hugging Face"
    JWT "jwt" "a signed JSON Web Token"
    LINEAR "linear-key" "an API key of Linear"
    MAILGUN "mailgun-key" "an API key of Mailgun"
    NEW_RELIC "newrelic-key" "an API key of New Relic"
    NPM "npm-token" "a token of npm"
    OPENAI "openai-key" "an API key of OpenAI"
    POSTMAN "postman-key" "an API key of Postman"
    PULUMI "pulumi-token" "a token of Pulumi"
    PYPI "pypi-token" "a token of PyPI"
    RUBYGEMS "rubygems-key" "an API key of RubyGems"
    SENDGRID "sendgrid-key" "an API key of SendGrid"
    SHOPIFY "shopify-token" "a token of Shopify"
    SLACK "slack-token" "a token of Slack"
    SLACK_WEBHOOK "slack-webhook" "the address of a Slack webhook"
    SQUARE "square-token" "a token of Square"
    STRIPE "stripe-key" "a live key of Stripe"
    SUPABASE "supabase-token" "a token of Supabase"
    TELEGRAM "telegram-token" "the token of a Telegram bot"
    TERRAFORM "terraform-token" "a token of HCP Terraform"
    VAULT "vault-token" "a token of HashiCorp Vault"
}

/// A text with parts behind it.
const fn shape(rule: &'static Rule, text: &'static str, parts: &'static [Part]) -> Shape {
    Shape {
        rule,
        before: None,
        text,
        parts,
    }
}

const AWS_REST: &[Part] = &[run(base32, 16, 16)];
const GITHUB_REST: &[Part] = &[run(alphanumeric, 36, 255)];
const GITLAB_REST: &[Part] = &[run(base64_url, 20, 300)];
const SLACK_REST: &[Part] = &[
    run(digit, 8, 14),
    Part::Text("-"),
    run(|byte| alphanumeric(byte) || byte == b'-', 16, 250),
];
const SLACK_OTHER_REST: &[Part] = &[run(|byte| alphanumeric(byte) || byte == b'-', 20, 300)];
const STRIPE_REST: &[Part] = &[run(alphanumeric, 16, 247)];
const SHOPIFY_REST: &[Part] = &[run(hex, 32, 32)];
const DIGITALOCEAN_REST: &[Part] = &[run(lower_hex, 64, 64)];
const VAULT_REST: &[Part] = &[run(base64_url, 24, 300)];
const DOPPLER_REST: &[Part] = &[run(alphanumeric, 40, 44)];
const PYPI_REST: &[Part] = &[run(base64_url, 50, 1000)];
/// The rest of the header, the claims and the signature.
const JWT_REST: &[Part] = &[
    run(base64_url, 4, 4096),
    Part::Text("."),
    run(base64_url, 4, 16384),
    Part::Text("."),
    run(base64_url, 32, 2048),
];

pub(crate) static SHAPES: &[Shape] = &[
    shape(&AWS, "AKIA", AWS_REST),
    shape(&AWS, "ASIA", AWS_REST),
    shape(&AWS, "ABIA", AWS_REST),
    shape(&AWS, "ACCA", AWS_REST),
    shape(&GITHUB, "ghp_", GITHUB_REST),
    shape(&GITHUB, "gho_", GITHUB_REST),
    shape(&GITHUB, "ghu_", GITHUB_REST),
    shape(&GITHUB, "ghs_", GITHUB_REST),
    shape(&GITHUB, "ghr_", GITHUB_REST),
    shape(&GITHUB, "github_pat_", &[run(word, 60, 255)]),
    shape(&GITLAB, "glpat-", GITLAB_REST),
    shape(&GITLAB, "glptt-", GITLAB_REST),
    shape(&GITLAB, "gldt-", GITLAB_REST),
    shape(&GITLAB, "glrt-", GITLAB_REST),
    shape(&GITLAB, "glft-", GITLAB_REST),
    shape(&GITLAB, "glimt-", GITLAB_REST),
    shape(&GITLAB, "glcbt-", GITLAB_REST),
    shape(&GITLAB, "glsoat-", GITLAB_REST),
    shape(&GITLAB, "glagent-", GITLAB_REST),
    shape(&SLACK, "xoxb-", SLACK_REST),
    shape(&SLACK, "xoxp-", SLACK_REST),
    shape(&SLACK, "xoxa-", SLACK_OTHER_REST),
    shape(&SLACK, "xoxr-", SLACK_OTHER_REST),
    shape(&SLACK, "xoxs-", SLACK_OTHER_REST),
    shape(&SLACK, "xoxe-", SLACK_OTHER_REST),
    shape(&SLACK, "xoxe.xox", SLACK_OTHER_REST),
    shape(&SLACK, "xapp-", SLACK_OTHER_REST),
    shape(
        &SLACK_WEBHOOK,
        "hooks.slack.com/services/",
        &[run(base64, 35, 60)],
    ),
    shape(&STRIPE, "sk_live_", STRIPE_REST),
    shape(&STRIPE, "rk_live_", STRIPE_REST),
    shape(&GOOGLE, "AIza", &[run(base64_url, 35, 35)]),
    shape(&GOOGLE_OAUTH, "GOCSPX-", &[run(base64_url, 28, 28)]),
    shape(&GOOGLE_OAUTH, "ya29.", &[run(base64_url, 30, 2048)]),
    shape(
        &GCP,
        "private_key_id",
        &[
            run(|byte| matches!(byte, b'"' | b'\\' | b':' | b' '), 3, 8),
            run(lower_hex, 40, 40),
        ],
    ),
    shape(&NPM, "npm_", &[run(alphanumeric, 36, 36)]),
    shape(&PYPI, "pypi-AgEIcHlwaS5vcmc", PYPI_REST),
    shape(&PYPI, "pypi-AgENdGVzdC5weXBpLm9yZw", PYPI_REST),
    // The beginnings of {"alg":, {"typ":, {"kid":, {"enc":, {"cty":, {"jku":, {"x5t, and with a space {"alg and {"typ.
    shape(&JWT, "eyJhbGciOi", JWT_REST),
    shape(&JWT, "eyJ0eXAiOi", JWT_REST),
    shape(&JWT, "eyJraWQiOi", JWT_REST),
    shape(&JWT, "eyJlbmMiOi", JWT_REST),
    shape(&JWT, "eyJjdHkiOi", JWT_REST),
    shape(&JWT, "eyJqa3UiOi", JWT_REST),
    shape(&JWT, "eyJ4NXQ", JWT_REST),
    shape(&JWT, "eyAiYWxnI", JWT_REST),
    shape(&JWT, "eyAidHlwI", JWT_REST),
    shape(
        &AZURE_STORAGE,
        "AccountKey=",
        &[run(base64, 86, 86), Part::Text("==")],
    ),
    shape(
        &AZURE_STORAGE,
        "SharedAccessKey=",
        &[run(base64, 43, 43), Part::Text("=")],
    ),
    Shape {
        rule: &AZURE_CLIENT,
        before: Some(Run {
            class: azure,
            min: 3,
            max: 3,
        }),
        text: "8Q~",
        parts: &[run(azure, 31, 34)],
    },
    Shape {
        rule: &AZURE_CLIENT,
        before: Some(Run {
            class: azure,
            min: 3,
            max: 3,
        }),
        text: "7Q~",
        parts: &[run(azure, 31, 34)],
    },
    Shape {
        rule: &TELEGRAM,
        before: Some(Run {
            class: digit,
            min: 8,
            max: 10,
        }),
        text: ":AA",
        parts: &[run(base64_url, 33, 33)],
    },
    shape(&DIGITALOCEAN, "dop_v1_", DIGITALOCEAN_REST),
    shape(&DIGITALOCEAN, "doo_v1_", DIGITALOCEAN_REST),
    shape(&DIGITALOCEAN, "dor_v1_", DIGITALOCEAN_REST),
    shape(
        &SENDGRID,
        "SG.",
        &[
            run(base64_url, 22, 22),
            Part::Text("."),
            run(base64_url, 43, 43),
        ],
    ),
    shape(&ANTHROPIC, "sk-ant-", &[run(base64_url, 80, 200)]),
    shape(&OPENAI, "sk-proj-", &[run(base64_url, 40, 300)]),
    shape(&OPENAI, "sk-svcacct-", &[run(base64_url, 40, 300)]),
    Shape {
        rule: &OPENAI,
        before: Some(Run {
            class: base64_url,
            min: 23,
            max: 100,
        }),
        text: "T3BlbkFJ",
        parts: &[run(base64_url, 20, 100)],
    },
    shape(&HUGGING_FACE, "hf_", &[run(alphanumeric, 34, 40)]),
    shape(&SHOPIFY, "shpat_", SHOPIFY_REST),
    shape(&SHOPIFY, "shpca_", SHOPIFY_REST),
    shape(&SHOPIFY, "shppa_", SHOPIFY_REST),
    shape(&SHOPIFY, "shpss_", SHOPIFY_REST),
    shape(&SQUARE, "sq0atp-", &[run(base64_url, 22, 60)]),
    shape(&SQUARE, "sq0csp-", &[run(base64_url, 43, 60)]),
    shape(&MAILGUN, "key-", &[run(lower_hex, 32, 32)]),
    shape(
        &DISCORD,
        "/api/webhooks/",
        &[run(digit, 17, 20), Part::Text("/"), run(base64_url, 60, 80)],
    ),
    shape(&DOCKER, "dckr_pat_", &[run(base64_url, 27, 40)]),
    shape(&DOCKER, "dckr_oat_", &[run(base64_url, 27, 40)]),
    shape(&VAULT, "hvs.", VAULT_REST),
    shape(&VAULT, "hvb.", VAULT_REST),
    Shape {
        rule: &TERRAFORM,
        before: Some(Run {
            class: alphanumeric,
            min: 14,
            max: 14,
        }),
        text: ".atlasv1.",
        parts: &[run(base64_url, 60, 70)],
    },
    shape(&LINEAR, "lin_api_", &[run(alphanumeric, 40, 40)]),
    shape(&NEW_RELIC, "NRAK-", &[run(upper, 27, 27)]),
    shape(
        &GRAFANA,
        "glsa_",
        &[run(alphanumeric, 32, 32), Part::Text("_"), run(hex, 8, 8)],
    ),
    shape(&DATABRICKS, "dapi", &[run(lower_hex, 32, 32)]),
    shape(&DOPPLER, "dp.pt.", DOPPLER_REST),
    shape(&DOPPLER, "dp.st.", DOPPLER_REST),
    shape(&PULUMI, "pul-", &[run(lower_hex, 40, 40)]),
    shape(&RUBYGEMS, "rubygems_", &[run(lower_hex, 48, 48)]),
    shape(&CRATES, "cio", &[run(alphanumeric, 32, 32)]),
    shape(
        &POSTMAN,
        "PMAK-",
        &[run(hex, 24, 24), Part::Text("-"), run(hex, 34, 34)],
    ),
    shape(&SUPABASE, "sbp_", &[run(lower_hex, 40, 40)]),
    shape(&AGE, "AGE-SECRET-KEY-1", &[run(upper, 58, 58)]),
    shape(
        &ATLASSIAN,
        "ATATT3xFfGF0",
        &[run(|byte| base64_url(byte) || byte == b'=', 100, 300)],
    ),
];
