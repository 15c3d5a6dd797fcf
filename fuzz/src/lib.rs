//! Fuzz targets for everything of Leasehold that reads bytes it was handed, or decides what contains what.
//!
//! Each module has one function `check(data)`: the *oracle* of the target of the same name. It panics when something
//! that must hold for every input does not hold for this one; that nothing panics by itself is the least of it. The
//! files in `fuzz_targets/` only hand bytes to an oracle, so that `cargo test` runs the same oracles over the seeds
//! without libFuzzer. How to run them: `fuzz/run.sh --help`.
//!
//! | module | bytes are | what must hold |
//! |---|---|---|
//! | [`canonical_json`] | JSON | accepted exactly when [`mod@reference`] accepts it; one canonical form; typed = untyped |
//! | [`envelope`] | a DSSE envelope | written and read again it is equal, in both alphabets; opened exactly when enough keys have signed |
//! | [`lease_document`] | the payload of a lease | draft = canonical reading; signed and verified it keeps its rights to the digest |
//! | [`chain`] | choices that make a root lease and children near it | whatever is accepted, no hop may do more than the one above it; memory changes nothing |
//! | [`presentation`] | who signs, and the payload of a presentation | accepted exactly for its lease, host, holder and time |
//! | [`revocation_list`] | the payload of a list | one form; refuses exactly what is on it, in its time |
//! | [`http_target`] | a request and patterns over requests | a server that decodes again finds nothing hidden; containment is sound |
//! | [`patterns`] | two patterns and paths | matching = [`mod@reference`]; `covers` is sound; deny rules deny at least what matches |
//! | [`trust_file`] | a trust file | written and read again it is equal and has the same digest |
//! | [`note`] | a signed note or checkpoint | opened only when a key signed exactly this text; checkpoints have one text |
//! | [`tape_record`] | one line of a tape | accepted exactly when it is canonical JSON of the right fields; encoded again it is equal |
//! | [`tape_reader`] | a whole tape | the size of reads changes nothing; the chain holds at every record given out |
//! | [`pipeline`] | `leasehold.toml` | a plan's own grants always allow the plan; appending a step keeps all else |
//! | [`lock`] | `leasehold.lock` | written and read again it is equal |
//! | [`policy`] | a policy and paths | what is allowed is in a list of the file itself, and neither denied nor protected |

pub mod canonical_json;
pub mod chain;
pub mod choices;
pub mod envelope;
pub mod http_target;
pub mod keys;
pub mod lease_document;
pub mod lock;
pub mod note;
pub mod patterns;
pub mod pipeline;
pub mod policy;
pub mod presentation;
pub mod reference;
pub mod revocation_list;
pub mod seeds;
pub mod tape_reader;
pub mod tape_record;
pub mod trust_file;
