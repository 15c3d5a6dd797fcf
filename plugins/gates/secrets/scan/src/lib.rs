//! Finds what looks like a secret in the bytes of one file: keys and tokens by their shapes, private keys by their headers, and
//! assignments of random-looking values to names such as `password`.
//!
//! One pass over the bytes looks up every second window of four bytes in a small table ([`prefilter`]); only where that says that a
//! known beginning may stand is anything else done, and that work is bounded for each place. So the time is proportional to the
//! number of bytes, whatever they are.

mod assignment;
mod class;
mod hit;
mod lines;
mod prefilter;
mod private_key;
mod shape;
mod shapes;
mod value;

pub use hit::{Hit, Rule};

use crate::prefilter::{Anchor, Prefilter};
use crate::shape::Shape;

/// What counts as a secret.
pub struct Rules {
    anchors: Vec<(Anchor, Finder)>,
    prefilter: Prefilter,
    settings: Settings,
}

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The names of rules that are off.
    pub off: Vec<String>,
    /// The least Shannon entropy of an assigned value, in hundredths of a bit per character; short values need less, since they
    /// cannot have so much. 0 to 600.
    pub min_entropy: u32,
    /// A value that contains one of these, in either case, is no secret. Each at least 4 bytes.
    pub test_vectors: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            off: Vec::new(),
            min_entropy: 350,
            test_vectors: Vec::new(),
        }
    }
}

/// What looks closer at a place that the prefilter points to.
#[derive(Clone, Copy)]
enum Finder {
    Shape(&'static Shape),
    PrivateKey,
    Putty,
    /// A word that names secrets, of this length.
    Name(usize),
    Address,
}

/// A secret in the content, as bytes from `start` to `end`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Found {
    rule: &'static Rule,
    start: usize,
    end: usize,
}

impl Rules {
    /// Rules with these settings.
    ///
    /// # Errors
    /// A sentence, when a rule is not known or a setting is out of its range.
    pub fn new(settings: Settings) -> Result<Self, String> {
        if let Some(name) = settings.off.iter().find(|name| Rule::named(name).is_none()) {
            return Err(format!("there is no rule {name:?}"));
        }
        if settings.min_entropy > 600 {
            return Err("the entropy of a character is at most 600 hundredths of a bit".to_owned());
        }
        if settings.test_vectors.iter().any(|text| text.len() < 4) {
            return Err(
                "a test vector has at least 4 bytes: less stands in many secrets".to_owned(),
            );
        }
        let mut anchors = Vec::new();
        let mut settings = settings;
        for text in &mut settings.test_vectors {
            text.make_ascii_lowercase();
        }
        let mut add = |rule: &Rule, anchor: Anchor, finder: Finder| {
            if !settings.off.iter().any(|name| name == rule.name) {
                anchors.push((anchor, finder));
            }
        };
        for shape in shapes::SHAPES {
            add(shape.rule, shape.anchor(), Finder::Shape(shape));
        }
        add(&hit::PRIVATE_KEY, private_key::ANCHOR, Finder::PrivateKey);
        add(&hit::PRIVATE_KEY, private_key::PUTTY_ANCHOR, Finder::Putty);
        for name in assignment::NAMES {
            add(
                &hit::ASSIGNMENT,
                Anchor::new(name),
                Finder::Name(name.len()),
            );
        }
        add(&hit::URL_PASSWORD, assignment::ADDRESS, Finder::Address);
        Ok(Self {
            prefilter: Prefilter::new(anchors.iter().map(|(anchor, _)| anchor)),
            anchors,
            settings,
        })
    }
}

/// Everything in `content` that looks like a secret, in ascending order of its place; places do not overlap. `path` only says how
/// values stand in the file: without quotes in an `.env` file, for instance.
pub fn scan(path: &str, content: &[u8], rules: &Rules) -> Vec<Hit> {
    let bare = assignment::has_bare_values(path);
    let mut found: Vec<Found> = Vec::new();
    rules.prefilter.candidates(content, |anchor, at| {
        let Some((_, finder)) = rules.anchors.get(anchor) else {
            return;
        };
        let secret = match finder {
            Finder::Shape(shape) => shape.find(content, at),
            Finder::PrivateKey => private_key::find(content, at),
            Finder::Putty => private_key::find_putty(content, at),
            Finder::Name(length) => assignment::find(content, at, *length, bare, &rules.settings),
            Finder::Address => assignment::find_in_address(content, at, &rules.settings),
        };
        let is_secret = |secret: &Found| {
            !value::is_test_vector(content, secret.start, secret.end, &rules.settings)
        };
        found.extend(secret.filter(is_secret));
    });
    lines::locate(content, without_overlaps(found))
}

/// Where places overlap, the more particular rule holds, then the place that begins first.
fn without_overlaps(mut found: Vec<Found>) -> Vec<Found> {
    if found.len() < 2 {
        return found;
    }
    found.sort_by_key(|secret| (secret.start, secret.rule.rank, secret.end));
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for secret in found {
        match kept.last_mut() {
            Some(last) if secret.start < last.end => {
                if secret.rule.rank < last.rule.rank {
                    *last = secret;
                }
            }
            _ => kept.push(secret),
        }
    }
    kept
}
