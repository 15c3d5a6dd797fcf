//! From names to addresses.

use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot};

/// The most look-ups at one time, each of which has a thread that nothing can end early.
const MAX_LOOKUPS: usize = 16;

/// An answer that is under way.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Turns names into addresses. Asked once for each request: what it said is checked, and what was checked is connected
/// to, so an answer that changes in between changes nothing.
pub trait Resolver: Send + Sync {
    /// All addresses of a host name.
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a>;
}

/// The resolver of the system (`getaddrinfo`).
#[derive(Debug)]
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
        }
    }
}

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        let name = name.to_owned();
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let (send, receive) = oneshot::channel();
            // A thread of its own rather than one of the runtime's, so that no runtime waits for it when it ends.
            std::thread::Builder::new()
                .name("resolve".to_owned())
                .spawn(move || {
                    let found = (name.as_str(), 0).to_socket_addrs();
                    let found = found.map(|list| list.map(|address| address.ip()).collect());
                    drop(permit);
                    // Nobody waits any more, which is no concern of this thread.
                    let _ = send.send(found);
                })?;
            receive.await.map_err(io::Error::other)?
        })
    }
}
