//! Rights on the command line: requests and secrets.

use leasehold_lease::{AddressBlock, HttpGrant, Injection, Pattern, Scheme, SecretGrant};
use leasehold_seal::Coded;

/// A pattern over files.
pub(crate) fn pattern(text: &str) -> Result<Pattern, String> {
    text.parse::<Pattern>().map_err(|error| told(&error))
}

/// `GET https://api.example.com/v1/**`: methods separated by commas, scheme, host, a port where it is not that of the scheme, and
/// the path, which has to be there.
pub(crate) fn http(text: &str) -> Result<HttpGrant, String> {
    let wrong = || format!("{text:?} is not of the form 'GET,HEAD https://HOST[:PORT]/PATH'");
    let (methods, url) = text.split_once(' ').ok_or_else(wrong)?;
    let (scheme, rest) = url.trim_start().split_once("://").ok_or_else(wrong)?;
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        other => return Err(format!("{other:?} is neither https nor http")),
    };
    let Some(slash) = rest.find('/') else {
        return Err(format!(
            "{text:?} names no path; everything at this host is /**"
        ));
    };
    let (authority, path) = rest.split_at(slash);
    let (host, port) = match port_of(authority) {
        Some((host, port)) => (host, port.parse::<u16>().map_err(|_| wrong())?),
        None => (
            authority,
            match scheme {
                Scheme::Https => 443,
                Scheme::Http => 80,
            },
        ),
    };
    let methods = methods
        .split(',')
        .map(|method| method.parse().map_err(|error| told(&error)));
    let grant = HttpGrant {
        methods: methods.collect::<Result<_, String>>()?,
        scheme,
        host: host.parse().map_err(|error| told(&error))?,
        port,
        path: path.parse().map_err(|error| told(&error))?,
        addresses: Vec::new(),
    };
    grant.check("the entry").map_err(|error| told(&error))?;
    Ok(grant)
}

/// A block of addresses: `10.0.0.0/8`.
pub(crate) fn block(text: &str) -> Result<AddressBlock, String> {
    text.parse().map_err(|error| told(&error))
}

/// `NAME=HOST:PORT/HEADER[:PREFIX]`: a secret and where the host puts it.
pub(crate) fn injected(text: &str) -> Result<SecretGrant, String> {
    let wrong = || format!("{text:?} is not of the form NAME=HOST:PORT/HEADER[:PREFIX]");
    let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (place, field) = rest.split_once('/').ok_or_else(wrong)?;
    let (host, port) = port_of(place).ok_or_else(wrong)?;
    let (header, prefix) = field.split_once(':').unwrap_or((field, ""));
    let secret = SecretGrant {
        name: name.to_owned(),
        inject: Some(Injection {
            host: host.parse().map_err(|error| told(&error))?,
            port: port.parse().map_err(|_| wrong())?,
            header: header.parse().map_err(|error| told(&error))?,
            prefix: prefix.to_owned(),
        }),
        expose: false,
    };
    secret.check("the secret").map_err(|error| told(&error))?;
    Ok(secret)
}

/// A secret that the plugin may read.
pub(crate) fn exposed(name: &str) -> Result<SecretGrant, String> {
    let secret = SecretGrant {
        name: name.to_owned(),
        inject: None,
        expose: true,
    };
    secret.check("the secret").map_err(|error| told(&error))?;
    Ok(secret)
}

/// Host and port; the colons of an IPv6 address stand in brackets.
fn port_of(authority: &str) -> Option<(&str, &str)> {
    authority
        .rsplit_once(':')
        .filter(|(_, port)| !port.contains(']'))
}

fn told(error: &dyn Coded) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_as_they_are_read() {
        for (text, shown) in [
            (
                "GET https://api.example.com/v1/**",
                "GET https://api.example.com:443/v1/**",
            ),
            (
                "GET,HEAD http://127.0.0.1/x",
                "GET,HEAD http://127.0.0.1:80/x",
            ),
            (
                "POST https://*.example.com:8443/",
                "POST https://*.example.com:8443/",
            ),
            (
                "GET https://[2001:db8::1]:444/a",
                "GET https://[2001:db8::1]:444/a",
            ),
            ("GET https://[::1]/a", "GET https://[::1]:443/a"),
        ] {
            assert_eq!(http(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for wrong in [
            "",
            "https://a.example/x",
            "GET a.example/x",
            "GET ftp://a.example/x",
            "GET https://a.example",
            "get https://a.example/x",
            "CONNECT https://a.example/x",
            "GET,GET https://a.example/x",
            "GET https://A.example/x",
            "GET https://a.example:0/x",
            "GET https://a.example:65536/x",
            "GET https://user@a.example/x",
            "GET https://a.example/../x",
            "GET https:///x",
        ] {
            assert!(http(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn secrets_name_their_place() {
        let secret = injected("api-token=api.example.com:443/authorization:Bearer ").unwrap();
        let injection = secret.inject.unwrap();
        assert_eq!(secret.name, "api-token");
        assert_eq!(
            (injection.port, injection.prefix.as_str()),
            (443, "Bearer ")
        );
        assert_eq!(injection.header.as_str(), "authorization");
        assert!(
            injected("t=[::1]:80/x-key")
                .unwrap()
                .inject
                .unwrap()
                .prefix
                .is_empty()
        );
        assert!(exposed("t").unwrap().expose);
        for wrong in [
            "t",
            "t=api.example.com/authorization",
            "t=api.example.com:443",
            "t=*.example.com:443/authorization",
            "t=a.example:443/host",
            "T=a.example:443/authorization",
            "t=a.example:443/authorization: x",
        ] {
            assert!(injected(wrong).is_err(), "{wrong:?}");
        }
        assert!(exposed("A").is_err());
    }
}
