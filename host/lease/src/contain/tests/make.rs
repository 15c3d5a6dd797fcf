//! Leases by throwing dice: small alphabets, so that what is wanted often is, and often just is not, what there is.

use leasehold_seal::{Digest, KeyId, PublicKey, SecretKey, Timestamp};

use crate::child::{ChildDoc, ChildGrant, ChildWish};
use crate::document::{
    Audience, AudienceEntry, Budget, Clock, EnvGrant, FileGrant, Grant, Holder, Kind, LeaseDoc,
    Random, VERSION,
};
use crate::http::{Host, HttpGrant, Method, Scheme};
use crate::limits::{Limits, LimitsSpec};
use crate::pattern::Pattern;
use crate::secret::{Injection, SecretGrant};

/// Thrown before; when all are used, they begin anew.
pub(super) struct Dice {
    throws: Vec<u8>,
    at: usize,
}

impl Dice {
    pub(super) fn new(throws: Vec<u8>) -> Self {
        Self { throws, at: 0 }
    }

    /// One of 0 to `sides` − 1.
    fn throw(&mut self, sides: usize) -> usize {
        let throw = self.throws[self.at % self.throws.len()];
        self.at += 1;
        usize::from(throw) % sides
    }

    /// With a probability of one in `sides`.
    fn one_in(&mut self, sides: usize) -> bool {
        self.throw(sides) == 1
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.throw(of.len())].clone()
    }

    /// Up to `most`, each made anew.
    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.throw(most + 1);
        (0..count).map(|_| make(self)).collect()
    }

    /// Some of these.
    fn of<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        all.iter().filter(|_| !self.one_in(4)).cloned().collect()
    }
}

pub(super) fn id(number: u8) -> Digest {
    Digest::of(&[number])
}

fn key() -> PublicKey {
    SecretKey::from_seed([7; 32]).public()
}

pub(super) fn hosts() -> [KeyId; 2] {
    [1, 2].map(|seed| SecretKey::from_seed([seed; 32]).public().key_id())
}

pub(super) fn tapes() -> [Option<Digest>; 3] {
    [None, Some(id(101)), Some(id(102))]
}

/// Ten moments, a second apart.
pub(super) fn moment(second: usize) -> Timestamp {
    format!("2026-01-01T00:00:0{second}Z").parse().unwrap()
}

pub(super) const ARGS: [&[&str]; 4] = [&[], &["a"], &["a", "b"], &["b"]];
const NAMES: [&str; 3] = ["A", "B", "C"];

pub(super) fn root(dice: &mut Dice) -> LeaseDoc {
    let begin = dice.throw(4);
    let grants = (0..=dice.throw(2))
        .map(|number| grant(number, dice))
        .collect();
    LeaseDoc {
        version: VERSION,
        issuer: key().key_id(),
        holder: Holder::Key(key().key_id()),
        audience: audience(dice),
        intent: None,
        parent: None,
        depth: 1 + u64::try_from(dice.throw(3)).unwrap(),
        nonce: "A".repeat(16),
        not_before: moment(begin),
        expires: moment(begin + 1 + dice.throw(5)),
        grants,
        budget: dice.one_in(2).then_some(Budget {
            uses: Some(2),
            fuel: Some(3),
        }),
    }
}

/// A child that is the parent, but for a few fields that are less, and fewer that are anything.
pub(super) fn child(parent: &LeaseDoc, of: Digest, dice: &mut Dice) -> ChildDoc {
    let mut wish = ChildWish::all(Holder::Key(key().key_id()), "B".repeat(16));
    if dice.one_in(6) {
        wish.not_before = Some(moment(dice.throw(9)));
    }
    if dice.one_in(6) {
        wish.expires = Some(moment(dice.throw(10)));
    }
    if dice.one_in(6) {
        wish.audience = Some(audience(dice));
    } else if let Audience::Hosts(entries) = &parent.audience {
        wish.audience = Some(Audience::Hosts(dice.of(entries)));
    }
    if dice.one_in(4) {
        wish.budget = Some(Budget {
            uses: Some(number(dice)),
            fuel: Some(number(dice)),
        });
    }
    if dice.one_in(12) {
        wish.depth = Some(u64::try_from(dice.throw(4)).unwrap());
    }
    let mut grants: Vec<ChildGrant> = parent.grants.iter().map(ChildGrant::all_of).collect();
    grants = dice.of(&grants);
    for grant in &mut grants {
        less(grant, dice);
        other(grant, dice);
    }
    wish.grants = Some(grants);
    wish.document(of, parent, &key())
}

fn grant(name: usize, dice: &mut Dice) -> Grant {
    let limits = [(); 6].map(|()| number(dice));
    Grant {
        id: name.to_string(),
        plugin: id(10),
        kind: Kind::Command,
        config: dice.pick(&[None, Some(id(20))]),
        args: args(dice),
        files: FileGrant {
            list: patterns(dice),
            read: patterns(dice),
            write: patterns(dice),
            deny: patterns(dice),
        },
        env: env(dice),
        http: dice.some(2, http),
        secrets: dice.some(2, secret),
        clock: Clock::Virtual,
        random: Random::Seeded,
        limits: Limits {
            fuel: limits[0],
            memory_bytes: limits[1],
            wall_ms: limits[2],
            output_bytes: limits[3],
            write_bytes: limits[4],
            open_files: limits[5],
        },
    }
}

/// Takes something away in many places.
fn less(grant: &mut ChildGrant, dice: &mut Dice) {
    if !grant.args.is_empty() {
        let keep = dice.throw(grant.args.len());
        grant.args.swap(0, keep);
        grant.args.truncate(1 + dice.throw(2));
    }
    for list in lists(grant) {
        *list = dice.of(list);
    }
    grant.env.pass = dice.of(&grant.env.pass);
    grant.http = dice.of(&grant.http);
    grant.secrets = dice.of(&grant.secrets);
    grant.files.deny.extend(dice.some(1, pattern));
}

/// Puts anything in a few places.
fn other(grant: &mut ChildGrant, dice: &mut Dice) {
    const SELDOM: usize = 12;
    if dice.one_in(SELDOM) {
        grant.of = Some(dice.throw(2).to_string());
    }
    if dice.one_in(SELDOM) {
        grant.plugin = id(11);
    }
    if dice.one_in(SELDOM) {
        grant.kind = Kind::Gate;
    }
    if dice.one_in(SELDOM) {
        grant.config = dice.pick(&[None, Some(id(20)), Some(id(21))]);
    }
    if dice.one_in(SELDOM) {
        grant.args = args(dice);
    }
    for list in lists(grant) {
        if dice.one_in(4) {
            list.push(pattern(dice));
        }
    }
    if dice.one_in(SELDOM) {
        grant.files.deny.reverse();
        grant.files.deny.pop();
    }
    if dice.one_in(SELDOM) {
        grant.env = env(dice);
    }
    if dice.one_in(4) {
        grant.http.push(http(dice));
    }
    if dice.one_in(SELDOM) {
        grant.secrets.push(secret(dice));
    }
    let limits = [(); 6].map(|()| dice.one_in(SELDOM).then(|| number(dice)));
    grant.limits = LimitsSpec {
        fuel: limits[0],
        memory_bytes: limits[1],
        wall_ms: limits[2],
        output_bytes: limits[3],
        write_bytes: limits[4],
        open_files: limits[5],
    };
}

/// The lists of patterns that allow.
fn lists(grant: &mut ChildGrant) -> [&mut Vec<Pattern>; 3] {
    let FileGrant {
        list, read, write, ..
    } = &mut grant.files;
    [list, read, write]
}

fn number(dice: &mut Dice) -> u64 {
    1 + u64::try_from(dice.throw(4)).unwrap()
}

fn audience(dice: &mut Dice) -> Audience {
    if dice.one_in(3) {
        return Audience::Any;
    }
    let entry = |dice: &mut Dice| AudienceEntry {
        host: dice.pick(&hosts()),
        tape: dice.pick(&tapes()),
    };
    Audience::Hosts(dice.some(2, entry))
}

fn args(dice: &mut Dice) -> Vec<Vec<String>> {
    dice.some(3, |dice| {
        let vector: &[&str] = dice.pick(&ARGS);
        vector.iter().map(|&text| text.to_owned()).collect()
    })
}

fn env(dice: &mut Dice) -> EnvGrant {
    let mut env = EnvGrant::default();
    for name in NAMES {
        match dice.throw(4) {
            0 => env.pass.push(name.to_owned()),
            value @ (1 | 2) => {
                env.set.insert(name.to_owned(), value.to_string());
            }
            _ => {}
        }
    }
    env
}

fn patterns(dice: &mut Dice) -> Vec<Pattern> {
    dice.some(2, pattern)
}

fn pattern(dice: &mut Dice) -> Pattern {
    let component = |dice: &mut Dice| dice.pick(&["a", "b", "ab", "**", "*", "a*", "?", "a?"]);
    let mut text = component(dice).to_owned();
    for _ in 0..dice.throw(3) {
        text = format!("{text}/{}", component(dice));
    }
    text.parse().unwrap()
}

fn http(dice: &mut Dice) -> HttpGrant {
    let host = dice.pick(&[
        "a.test",
        "*.a.test",
        "b.a.test",
        "evil-a.test",
        "127.0.0.1",
        "[::1]",
    ]);
    let blocks: &[&str] = match host.parse::<Host>() {
        Ok(host) if host.address().is_some() => &[],
        _ => dice.pick(&[&[][..], &["10.0.0.0/8"][..], &["10.1.0.0/16"][..]]),
    };
    let methods: &[&str] = dice.pick(&[&["GET"][..], &["GET", "PUT"][..]]);
    let method = |text: &&str| text.parse::<Method>().unwrap();
    let path = dice.pick(&["/**", "/v1/**", "/v1/*", "/v1", "/v12/**", "/"]);
    HttpGrant {
        methods: methods.iter().map(method).collect(),
        scheme: dice.pick(&[Scheme::Https, Scheme::Https, Scheme::Http]),
        host: host.parse().unwrap(),
        port: dice.pick(&[443, 443, 444]),
        path: path.parse().unwrap(),
        addresses: blocks.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

fn secret(dice: &mut Dice) -> SecretGrant {
    let inject = dice.one_in(2).then(|| Injection {
        host: dice.pick(&["a.test", "b.a.test"]).parse().unwrap(),
        port: 443,
        header: "authorization".parse().unwrap(),
        prefix: String::new(),
    });
    SecretGrant {
        name: dice.pick(&["one", "two"]).to_owned(),
        expose: inject.is_none(),
        inject,
    }
}
