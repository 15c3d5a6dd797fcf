//! From checked addresses to a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use leasehold_lease::{Scheme, Target};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::error::{HttpError, Phase};
use crate::io::Stream;
use crate::outgoing::Outgoing;
use crate::patience::{Limits, within};
use crate::tls;

/// A connection to an address that is allowed, and the request that is to go over it.
pub struct Connected<B> {
    pub(crate) outgoing: Outgoing<B>,
    pub(crate) stream: Stream,
    pub(crate) limits: Limits,
    address: SocketAddr,
}

impl<B> Connected<B> {
    /// The address and port at the other end.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The request.
    #[must_use]
    pub fn outgoing(&self) -> &Outgoing<B> {
        &self.outgoing
    }

    /// Connects to the first of the addresses that answers, each of which gets its share of the time.
    pub(crate) async fn open(
        outgoing: Outgoing<B>,
        addresses: &[SocketAddr],
        limits: Limits,
        config: impl FnOnce() -> Result<Arc<ClientConfig>, String>,
    ) -> Result<Self, HttpError> {
        let target = outgoing.target();
        let (stream, address) = first_of(target, addresses, &limits).await?;
        let stream = match target.scheme() {
            Scheme::Http => Stream::Plain(stream),
            Scheme::Https => secure(target, stream, &limits, config).await?,
        };
        Ok(Self {
            outgoing,
            stream,
            limits,
            address,
        })
    }
}

async fn first_of(
    target: &Target,
    addresses: &[SocketAddr],
    limits: &Limits,
) -> Result<(TcpStream, SocketAddr), HttpError> {
    let share = limits.connect / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = HttpError::timeout(Phase::Connect, limits.connect);
    for address in addresses {
        // Exactly what was checked: an address, not a name.
        match within(share, Phase::Connect, TcpStream::connect(*address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok((stream, *address));
            }
            Ok(Err(error)) => {
                last = HttpError::Connect {
                    host: target.authority(),
                    problem: error.kind().to_string(),
                };
            }
            Err(_timeout) => {}
        }
    }
    Err(last)
}

async fn secure(
    target: &Target,
    stream: TcpStream,
    limits: &Limits,
    config: impl FnOnce() -> Result<Arc<ClientConfig>, String>,
) -> Result<Stream, HttpError> {
    let failed = |problem: String| HttpError::Tls {
        host: target.authority(),
        problem,
    };
    let name = tls::server_name(target.host()).map_err(failed)?;
    let connector = TlsConnector::from(config().map_err(failed)?);
    let secured = within(limits.tls, Phase::Tls, connector.connect(name, stream)).await?;
    let secured = secured.map_err(|error| failed(tls::problem(&error)))?;
    Ok(Stream::Secure(Box::new(secured)))
}
