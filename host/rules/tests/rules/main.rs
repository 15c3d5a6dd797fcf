//! The rules through their public interface.

#[cfg(test)]
mod append;
#[cfg(test)]
mod change;
#[cfg(test)]
mod common;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod network;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod policy_fixtures;
#[cfg(test)]
mod policy_leases;
#[cfg(test)]
mod policy_operations;
#[cfg(test)]
mod policy_properties;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod under;
