//! What this crate does, tested through its public interface, against servers on loopback.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod common;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod tls;
