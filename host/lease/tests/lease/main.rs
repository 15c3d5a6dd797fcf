//! What this crate decides, tested through its public interface.

#[cfg(test)]
mod approvals;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod common;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod family;
#[cfg(test)]
mod http;
#[cfg(test)]
mod import;
#[cfg(test)]
mod patterns;
#[cfg(test)]
mod presentations;
#[cfg(test)]
mod revocations;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod secret;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod verifier;
#[cfg(test)]
mod wider;
#[cfg(test)]
mod wider_network;
