//! The client: what all requests of a host have in common.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use hyper::body::Body;
use leasehold_lease::{Permit, Target};
use rustls::ClientConfig;

use crate::address::check_address;
use crate::connect::Connected;
use crate::error::{HttpError, Phase};
use crate::exchange::Answered;
use crate::outgoing::Outgoing;
use crate::patience::{Limits, Options, within};
use crate::resolve::{Resolver, SystemResolver};
use crate::tls::Roots;

/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;

/// Sends requests. Keeps nothing between them but the trusted roots.
pub struct Client {
    resolver: Arc<dyn Resolver>,
    limits: Limits,
    roots: Roots,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Default for Client {
    /// The system's resolver and roots, and the limits as documented.
    fn default() -> Self {
        let resolver = Arc::new(SystemResolver::default());
        Self::new(resolver, Roots::System, Limits::default())
    }
}

impl Client {
    /// A client of its own making.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>, roots: Roots, limits: Limits) -> Self {
        Self {
            resolver,
            limits,
            roots,
            tls: OnceLock::new(),
        }
    }

    /// Resolves the name, checks every address there is, and connects to one of those that are allowed. Nothing of the
    /// request is sent yet. Has to be called in a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// `HTTP-DNS`, `HTTP-ADDRESS`, `HTTP-CONNECT`, `HTTP-TLS` or `HTTP-TIMEOUT`.
    pub async fn connect<B>(
        &self,
        outgoing: Outgoing<B>,
        options: Options,
    ) -> Result<Connected<B>, HttpError> {
        let limits = self.limits.with(options);
        let addresses = self.locate(&outgoing.permit, &limits).await?;
        Connected::open(outgoing, &addresses, limits, || self.tls()).await
    }

    /// [`Client::connect`] and [`Connected::send`] in one.
    ///
    /// # Errors
    /// Those of the two.
    pub async fn send<B>(
        &self,
        outgoing: Outgoing<B>,
        options: Options,
    ) -> Result<Answered, HttpError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        self.connect(outgoing, options).await?.send().await
    }

    /// The addresses of the host that the permit lets be connected to: at least one.
    async fn locate(&self, permit: &Permit, limits: &Limits) -> Result<Vec<SocketAddr>, HttpError> {
        let target = permit.target();
        let found = match target.host().address() {
            Some(address) => vec![address],
            None => self.resolve(target, limits).await?,
        };
        let mut allowed: Vec<SocketAddr> = Vec::new();
        let mut refused = None;
        for address in found {
            let place = SocketAddr::new(address, target.port());
            match check_address(address, permit.blocks()) {
                Ok(()) if allowed.contains(&place) => {}
                Ok(()) => allowed.push(place),
                Err(kind) => {
                    refused.get_or_insert((address, kind));
                }
            }
        }
        allowed.truncate(MAX_ADDRESSES);
        match (allowed.is_empty(), refused) {
            (true, Some((address, kind))) => Err(HttpError::Address {
                host: target.host().to_string(),
                address,
                kind,
            }),
            (true, None) => Err(dns(target, "it has no address".to_owned())),
            (false, _) => Ok(allowed),
        }
    }

    async fn resolve(&self, target: &Target, limits: &Limits) -> Result<Vec<IpAddr>, HttpError> {
        let name = target.host().to_string();
        let resolving = self.resolver.resolve(&name);
        let found = within(limits.connect, Phase::Dns, resolving).await?;
        found.map_err(|error| dns(target, error.to_string()))
    }

    /// Reads the roots where that was not done yet; a failure is not kept.
    fn tls(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.roots.config()?);
        Ok(Arc::clone(self.tls.get_or_init(|| config)))
    }
}

fn dns(target: &Target, problem: String) -> HttpError {
    let host = target.host().to_string();
    HttpError::Dns { host, problem }
}
