//! Rights as flags, for leases that are issued and for leases that are handed on.

use clap::Args;
use leasehold_lease::{AddressBlock, EnvGrant, HttpGrant, LimitsSpec, Pattern};

use crate::failure::Failure;
use crate::parse::{self, Variable};

/// What a grant may have.
#[derive(Debug, Args)]
pub(super) struct RightsFlags {
    /// Names that may be seen, with kind and size; may be repeated, as the next three.
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub(super) list: Vec<Pattern>,
    /// Files that may be read.
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub(super) read: Vec<Pattern>,
    /// Files and folders that may be made, changed and removed.
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub(super) write: Vec<Pattern>,
    /// What is excepted from all three, with everything below it.
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub(super) deny: Vec<Pattern>,
    /// One argument of a program; repeated, they make one list that has to be given exactly so.
    #[arg(long = "arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    arg: Vec<String>,
    /// One more list of arguments that is allowed, as JSON: '["--check", "docs"]'.
    #[arg(long = "args", value_name = "JSON", value_parser = parse::vector)]
    args: Vec<std::vec::Vec<String>>,
    /// An environment variable: NAME as it is set at the host, or NAME=VALUE; may be repeated.
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = parse::variable)]
    env: Vec<Variable>,
    /// Requests that may be sent: `'GET,HEAD https://api.example.com/v1/**'`; may be repeated. Port 443, with http 80, where none is
    /// stated; everything at a host is /**.
    #[arg(long, value_name = "REQUEST", value_parser = parse::http)]
    http: Vec<HttpGrant>,
    /// Addresses that such a host may have though they are not public: 10.0.0.0/8; may be repeated.
    #[arg(long = "address", value_name = "CIDR", value_parser = parse::block, requires = "http")]
    addresses: Vec<AddressBlock>,
    /// Fuel: roughly, instructions executed; 1e9 takes from a tenth of a second to a few seconds.
    #[arg(long, value_name = "N", value_parser = parse::fuel)]
    fuel: Option<u64>,
    /// Memory, in bytes or with K, M, G.
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    memory: Option<u64>,
    /// Real time, in milliseconds.
    #[arg(long, value_name = "MS")]
    wall_ms: Option<u64>,
    /// Standard output, standard error, attachments and answer together, in bytes or with K, M, G.
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    output: Option<u64>,
    /// Bytes written to files, or with K, M, G.
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    write_bytes: Option<u64>,
    /// Files and folders open at one time.
    #[arg(long, value_name = "N")]
    open_files: Option<u64>,
}

/// The names of these flags, for those that take their place.
pub(super) const RIGHTS_FLAGS: [&str; 15] = [
    "list",
    "read",
    "write",
    "deny",
    "arg",
    "args",
    "env",
    "http",
    "addresses",
    "fuel",
    "memory",
    "wall_ms",
    "output",
    "write_bytes",
    "open_files",
];

impl RightsFlags {
    /// The lists of arguments; `None`: nothing was said about them.
    pub(super) fn vectors(&self) -> Option<Vec<Vec<String>>> {
        let mut vectors = self.args.clone();
        if !self.arg.is_empty() {
            vectors.insert(0, self.arg.clone());
        }
        (!vectors.is_empty()).then_some(vectors)
    }

    /// The variables; `None`: nothing was said about them.
    pub(super) fn environment(&self) -> Option<EnvGrant> {
        let mut env = EnvGrant::default();
        for variable in &self.env {
            match variable {
                Variable::Pass(name) => env.pass.push(name.clone()),
                Variable::Set(name, value) => drop(env.set.insert(name.clone(), value.clone())),
            }
        }
        (!self.env.is_empty()).then_some(env)
    }

    /// The requests, each with the addresses where its host is a name; `None`: nothing was said about them.
    ///
    /// # Errors
    /// `USAGE` when there are addresses and no host that is a name.
    pub(super) fn requests(&self) -> Result<Option<Vec<HttpGrant>>, Failure> {
        let is_name = |entry: &HttpGrant| entry.host.address().is_none();
        if !self.addresses.is_empty() && !self.http.iter().any(is_name) {
            return Err(
                Failure::usage("USAGE", "--address goes with a host that is a name")
                    .hint("a host that is an address names itself"),
            );
        }
        let entries = self.http.iter().cloned().map(|mut entry| {
            if is_name(&entry) {
                entry.addresses = self.addresses.clone();
            }
            entry
        });
        Ok((!self.http.is_empty()).then(|| entries.collect()))
    }

    /// The limits that were stated.
    pub(super) fn limits(&self) -> LimitsSpec {
        LimitsSpec {
            fuel: self.fuel,
            memory_bytes: self.memory,
            wall_ms: self.wall_ms,
            output_bytes: self.output,
            write_bytes: self.write_bytes,
            open_files: self.open_files,
        }
    }
}
