//! What this crate decides, tested through its public interface.

#[cfg(test)]
mod common;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod patterns;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod vectors;
