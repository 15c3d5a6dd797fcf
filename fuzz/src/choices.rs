//! Leases made of choices: each byte of the input chooses one of a few values. The alphabets are small on purpose, so that
//! wide and narrow rights meet often and at their edges.

use arbitrary::Unstructured;
use leasehold_lease::{
    Audience, AudienceEntry, Budget, Clock, EnvGrant, FileGrant, Grant, Holder, HttpGrant,
    Injection, Kind, LeaseDoc, Limits, LimitsSpec, Pattern, Random, Scheme, SecretGrant,
};
use leasehold_seal::{Digest, KeyId, SecretKey, Timestamp};

use crate::keys::{HOST, ISSUER, NOW, OTHER};

/// The choices that are left. When there are none left, the first of every alphabet is chosen.
pub struct Choices<'a>(Unstructured<'a>);

/// Components of file patterns and of paths of requests.
const NAMES: &[&str] = &[
    "a", "b", "ab", "a.md", ".env", "*", "a*", "*b", "?", "??", "a?", "**",
];
const HOSTS: &[&str] = &[
    "a.example.com",
    "*.example.com",
    "b.example.com",
    "example.com",
    "a.b.example.com",
    "127.0.0.1",
    "[::1]",
    "*.b.example.com",
];
const BLOCKS: &[&str] = &[
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.3/32",
    "0.0.0.0/0",
    "fd00::/8",
    "::1/128",
];
const METHODS: &[&str] = &["GET", "HEAD", "POST"];
const PORTS: &[u16] = &[443, 80, 8443];

impl<'a> Choices<'a> {
    /// Chooses by these bytes.
    pub fn new(data: &'a [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    /// The same choices once more, for what has to be chosen twice alike.
    pub fn again(&self) -> Choices<'a> {
        Self(Unstructured::new(
            self.0.peek_bytes(self.0.len()).unwrap_or_default(),
        ))
    }

    /// A path of a request, of which the pattern's wildcards were replaced.
    pub fn components_of(&mut self, pattern: &str) -> String {
        let parts = pattern.split('/').map(|part| match part {
            "**" => self.text().to_owned(),
            part => part
                .replace('*', self.one(&["a", "b", ""]))
                .replace('?', self.one(&["a", "b"])),
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        let last = of.len() - 1;
        of[self.0.int_in_range(0..=last).unwrap_or_default().min(last)]
    }

    /// True in about one of so many cases; false when no choice is left.
    pub fn rarely(&mut self, one_in: u8) -> bool {
        self.0
            .int_in_range(0..=one_in - 1)
            .is_ok_and(|chosen| chosen == 1)
    }

    /// Up to `most` values.
    pub fn list<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.0.int_in_range(0..=most).unwrap_or_default();
        (0..count).map(|_| make(self)).collect()
    }

    /// Some of these, in their order.
    pub fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().filter(|_| !self.rarely(4)).cloned().collect()
    }

    /// A piece of text for what a wildcard stands for.
    pub fn text(&mut self) -> &'static str {
        self.one(&["a", "b", "", "ab", ".env", "a/b", "a.md", "x/a/b"])
    }

    /// A file pattern.
    pub fn pattern(&mut self) -> Pattern {
        self.components().join("/").parse().expect("a pattern")
    }

    /// Narrower often, wider sometimes, something else rarely.
    pub fn near(&mut self, pattern: &Pattern) -> Pattern {
        let text = pattern.as_str();
        let other = match self.one(&[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 5, 6, 7, 8, 9, 10]) {
            0 => text.to_owned(),
            1 => text.replacen("**", "a/**", 1),
            2 => text.replacen("**", "a", 1),
            3 => text.replacen('?', "a", 1),
            4 => text.replacen("**", "?*/**", 1),
            5 => text.replacen('a', "*", 1),
            6 => text
                .rsplit_once('/')
                .map_or(text, |(above, _)| above)
                .to_owned(),
            7 => text.replacen('?', "*", 1),
            8 => format!("{text}/b"),
            9 => text.replacen('*', "a/b", 1),
            _ => return self.pattern(),
        };
        other.parse().unwrap_or_else(|_| pattern.clone())
    }

    fn components(&mut self) -> Vec<&'static str> {
        let mut names = vec![self.one(NAMES)];
        names.extend(self.list(2, |choices| choices.one(NAMES)));
        names
    }

    fn files(&mut self) -> FileGrant {
        FileGrant {
            list: self.list(2, Self::pattern),
            read: self.list(2, Self::pattern),
            write: self.list(2, Self::pattern),
            deny: self.list(2, Self::pattern),
        }
    }

    /// An entry of `http`.
    pub fn http(&mut self) -> HttpGrant {
        let mut methods = vec![self.one(METHODS)];
        methods.extend(self.list(2, |choices| choices.one(METHODS)));
        methods.sort_unstable();
        methods.dedup();
        let host = self.one(HOSTS);
        let mut blocks = self.list(2, |choices| choices.one(BLOCKS));
        blocks.sort_unstable();
        blocks.dedup();
        // An address names itself.
        blocks.retain(|_| host.ends_with("com"));
        HttpGrant {
            methods: methods
                .iter()
                .map(|method| method.parse().expect("a method"))
                .collect(),
            scheme: self.one(&[Scheme::Https, Scheme::Http]),
            host: host.parse().expect("a host"),
            port: self.one(PORTS),
            path: format!("/{}", self.components().join("/"))
                .parse()
                .expect("a path"),
            addresses: blocks
                .iter()
                .map(|block| block.parse().expect("a block"))
                .collect(),
        }
    }

    /// A secret that goes where one of these entries goes, or that is given away.
    fn secret(&mut self, ways: &[HttpGrant]) -> SecretGrant {
        let name = self.one(&["token", "other"]).to_owned();
        let mut ways = ways
            .iter()
            .filter_map(|way| Some((way.host.host()?.clone(), way.port)));
        let Some((host, port)) = ways.next() else {
            return SecretGrant {
                name,
                inject: None,
                expose: true,
            };
        };
        SecretGrant {
            name,
            inject: Some(Injection {
                host,
                port,
                header: "authorization".parse().expect("a field"),
                prefix: self.one(&["", "Bearer "]).to_owned(),
            }),
            expose: false,
        }
    }

    /// A grant of this name.
    pub fn grant(&mut self, id: &str) -> Grant {
        let http = self.list(2, Self::http);
        Grant {
            id: id.to_owned(),
            plugin: self.one(&[Digest::from_bytes([1; 32]), Digest::from_bytes([2; 32])]),
            kind: self.one(&[Kind::Command, Kind::Gate]),
            config: self.one(&[None, Some(Digest::from_bytes([3; 32]))]),
            args: self.list(2, Self::args),
            files: self.files(),
            env: self.env(),
            secrets: self.list(1, |choices| choices.secret(&http)),
            http,
            clock: Clock::Virtual,
            random: Random::Seeded,
            limits: self.limits(),
        }
    }

    /// An argument vector.
    pub fn args(&mut self) -> Vec<String> {
        self.list(2, |choices| choices.one(&["a", "b", ""]).to_owned())
    }

    fn env(&mut self) -> EnvGrant {
        let mut pass = self.list(2, |choices| choices.one(&["A", "B"]).to_owned());
        pass.sort();
        pass.dedup();
        let set = self.list(1, |choices| {
            ("C".to_owned(), choices.one(&["1", "2"]).to_owned())
        });
        EnvGrant {
            pass,
            set: set.into_iter().collect(),
        }
    }

    fn limits(&mut self) -> Limits {
        let mut near = |least: u64| least + self.one(&[1, 0, 2]);
        Limits {
            fuel: near(1),
            memory_bytes: near(65_536),
            wall_ms: near(1),
            output_bytes: near(0),
            write_bytes: near(0),
            open_files: near(0),
        }
    }

    /// Some limits.
    pub fn some_limits(&mut self) -> LimitsSpec {
        let limits = self.limits();
        let mut maybe = |limit: u64| (!self.rarely(3)).then_some(limit);
        LimitsSpec {
            fuel: maybe(limits.fuel),
            memory_bytes: maybe(limits.memory_bytes),
            wall_ms: maybe(limits.wall_ms),
            output_bytes: maybe(limits.output_bytes),
            write_bytes: maybe(limits.write_bytes),
            open_files: maybe(limits.open_files),
        }
    }

    /// So many hours, from a few, after a fixed moment.
    pub fn hour(&mut self, hours: &[i64]) -> Timestamp {
        let hours = self.one(hours);
        NOW.checked_add_millis(hours * 3_600_000).expect("a moment")
    }

    /// A host's key id.
    pub fn host(&mut self) -> KeyId {
        self.one(&[HOST.public().key_id(), OTHER.public().key_id()])
    }

    /// A tape's id, or none.
    pub fn tape(&mut self) -> Option<Digest> {
        self.one(&[
            None,
            Some(Digest::from_bytes([8; 32])),
            Some(Digest::from_bytes([9; 32])),
        ])
    }

    /// Who may use a lease.
    pub fn holder(&mut self) -> Holder {
        self.one(&[Holder::Key(key_id(0)), Holder::Key(key_id(1)), Holder::None])
    }

    /// On which hosts a lease is good.
    pub fn audience(&mut self) -> Audience {
        if self.rarely(3) {
            return Audience::Any;
        }
        let mut entries = vec![AudienceEntry {
            host: self.host(),
            tape: self.tape(),
        }];
        if self.rarely(4) {
            entries.push(AudienceEntry {
                host: self.host(),
                tape: self.tape(),
            });
        }
        Audience::Hosts(entries)
    }

    /// A budget; of a root both parts are stated.
    pub fn budget(&mut self) -> Option<Budget> {
        let mut part = || Some(self.one(&[2, 1, 3]));
        let (uses, fuel) = (part(), part());
        self.rarely(3).then_some(Budget { uses, fuel })
    }

    /// A root lease by [`ISSUER`].
    pub fn root(&mut self) -> LeaseDoc {
        let mut names = ["one", "two"].into_iter();
        let mut grants = vec![self.grant("one")];
        names.next();
        if self.rarely(2) {
            grants.extend(names.next().map(|id| self.grant(id)));
        }
        let budget = self.budget();
        // Only one tape can count.
        let audience = match budget {
            Some(_) => Audience::Hosts(vec![AudienceEntry {
                host: self.host(),
                tape: Some(Digest::from_bytes([8; 32])),
            }]),
            None => self.audience(),
        };
        LeaseDoc {
            version: 1,
            issuer: ISSUER.public().key_id(),
            holder: self.holder(),
            audience,
            intent: None,
            parent: None,
            depth: self.one(&[3, 2, 1, 0]),
            nonce: "leasehold-fuzzing".to_owned(),
            not_before: self.hour(&[0, 1]),
            expires: self.hour(&[5, 4, 3]),
            grants,
            budget,
        }
    }
}

/// The holders' keys.
pub fn holder_key(number: u8) -> SecretKey {
    SecretKey::from_seed([100 + number; 32])
}

/// The ids of the holders' keys.
pub fn key_id(number: u8) -> KeyId {
    use std::sync::LazyLock;
    static IDS: LazyLock<[KeyId; 2]> =
        LazyLock::new(|| [0, 1].map(|number| holder_key(number).public().key_id()));
    IDS[usize::from(number)]
}
