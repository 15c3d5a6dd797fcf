//! Which servers are trusted.

use std::fmt;
use std::sync::Arc;

use leasehold_lease::Host;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// Where the roots come from that server certificates have to lead to.
#[derive(Clone, Default)]
pub enum Roots {
    /// The system's, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Read when they are first needed.
    #[default]
    System,
    /// These and no others.
    Given(Vec<CertificateDer<'static>>),
}

impl Roots {
    /// The certificates of a PEM file.
    ///
    /// # Errors
    /// What is wrong with it; also when there is none in it.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        match roots {
            Ok(roots) if roots.is_empty() => Err("there is no certificate in it".to_owned()),
            Ok(roots) => Ok(Self::Given(roots)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// How TLS is spoken: 1.2 or 1.3, HTTP/1.1 only, no certificate of our own, nothing kept for the next connection.
    pub(crate) fn config(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(self.store()?)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn store(&self) -> Result<RootCertStore, String> {
        let (roots, problem) = match self {
            Roots::Given(roots) => (roots.clone(), None),
            Roots::System => {
                let found = rustls_native_certs::load_native_certs();
                (found.certs, found.errors.first().map(ToString::to_string))
            }
        };
        let mut store = RootCertStore::empty();
        // Systems have certificates among them that no one can read; what counts is that there are others.
        let (usable, _) = store.add_parsable_certificates(roots);
        if usable > 0 {
            return Ok(store);
        }
        let problem = problem.map_or_else(String::new, |problem| format!(": {problem}"));
        Err(format!("there are no trusted root certificates{problem}"))
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Roots::System => formatter.write_str("System"),
            Roots::Given(roots) => write!(formatter, "Given({})", roots.len()),
        }
    }
}

/// The name that the certificate has to be for.
pub(crate) fn server_name(host: &Host) -> Result<ServerName<'static>, String> {
    if let Some(address) = host.address() {
        return Ok(ServerName::from(address));
    }
    ServerName::try_from(host.to_string()).map_err(|error| error.to_string())
}

/// What is wrong with a handshake, in words.
pub(crate) fn problem(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(rustls::Error::InvalidCertificate(problem)) = inner else {
        return error.to_string();
    };
    let words = match problem {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name"
        }
        CertificateError::UnknownIssuer => "no trusted root has signed the server's certificate",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet"
        }
        _ => return error.to_string(),
    };
    words.to_owned()
}
