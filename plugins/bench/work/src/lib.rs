//! What the benchmarks do. The guests and the benchmark itself are built from these same functions; each gives a number that says
//! whether both did the same.

mod bodies;
mod count;
mod mix;
mod sieve;

pub use bodies::bodies;
pub use count::Count;
pub use mix::mix;
pub use sieve::sieve;
