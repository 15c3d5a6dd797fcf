//! Round `wasi:http`: sockets of its own.

use std::net::{Ipv4Addr, Ipv6Addr};

use http_exchange::Url;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp::OutgoingDatagram;
use wasip2::sockets::udp_create_socket::create_udp_socket;

use crate::report::{Attempt, Failure, Report};

/// A TCP connection to the URL's address and one line each way.
pub(crate) fn tcp(url: &Url) -> Attempt {
    let (family, address) = address(url)?;
    let socket = create_tcp_socket(family).map_err(at("create-tcp-socket"))?;
    let network = instance_network();
    socket
        .start_connect(&network, address)
        .map_err(at("start-connect"))?;
    let (input, output) = loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            other => break other.map_err(at("finish-connect"))?,
        }
    };
    let request = format!(
        "GET {} HTTP/1.0\r\nhost: {}\r\n\r\n",
        url.target(),
        url.authority()
    );
    let broken = |_| Failure::named("closed").with("at", "stream");
    output
        .blocking_write_and_flush(request.as_bytes())
        .map_err(broken)?;
    let answer = input.blocking_read(4096).map_err(broken)?;
    Ok(Report::default().with("text", String::from_utf8_lossy(&answer)))
}

/// One datagram to the URL's address.
pub(crate) fn udp(url: &Url) -> Attempt {
    let (family, address) = address(url)?;
    let socket = create_udp_socket(family).map_err(at("create-udp-socket"))?;
    let network = instance_network();
    let any = match family {
        IpAddressFamily::Ipv4 => socket_address(&IpAddress::Ipv4((0, 0, 0, 0)), 0),
        IpAddressFamily::Ipv6 => socket_address(&IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 0)), 0),
    };
    socket.start_bind(&network, any).map_err(at("start-bind"))?;
    loop {
        match socket.finish_bind() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            other => break other.map_err(at("finish-bind"))?,
        }
    }
    let (_, outgoing) = socket.stream(None).map_err(at("stream"))?;
    outgoing.check_send().map_err(at("check-send"))?;
    let datagram = OutgoingDatagram {
        data: b"leak".to_vec(),
        remote_address: Some(address),
    };
    let sent = outgoing.send(&[datagram]).map_err(at("send"))?;
    Ok(Report::default().with("datagrams", sent))
}

/// Looks the URL's host up: a name can carry words to whoever answers for it.
pub(crate) fn resolve(url: &Url) -> Attempt {
    let network = instance_network();
    let stream = resolve_addresses(&network, &url.host()).map_err(at("resolve-addresses"))?;
    let mut addresses = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Err(ErrorCode::WouldBlock) => stream.subscribe().block(),
            Ok(None) => break,
            next => {
                let next = next.map_err(at("resolve-next-address"))?;
                addresses.extend(next.map(|address| format!("{address:?}")));
            }
        }
    }
    Ok(Report::default().with("addresses", addresses))
}

fn at(step: &'static str) -> impl Fn(ErrorCode) -> Failure {
    move |code| Failure::named(code.name()).with("at", step)
}

/// The address in the URL; that of this machine where it has a name instead.
fn address(url: &Url) -> Result<(IpAddressFamily, IpSocketAddress), Failure> {
    let host = url.host();
    if let Some(host) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        let address: Ipv6Addr = host.parse().map_err(|_| Failure::usage())?;
        let [a, b, c, d, e, f, g, h] = address.segments();
        let address = IpAddress::Ipv6((a, b, c, d, e, f, g, h));
        return Ok((IpAddressFamily::Ipv6, socket_address(&address, url.port())));
    }
    let address: Ipv4Addr = host.parse().unwrap_or(Ipv4Addr::LOCALHOST);
    let [a, b, c, d] = address.octets();
    let address = IpAddress::Ipv4((a, b, c, d));
    Ok((IpAddressFamily::Ipv4, socket_address(&address, url.port())))
}

fn socket_address(address: &IpAddress, port: u16) -> IpSocketAddress {
    match *address {
        IpAddress::Ipv4(address) => IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }),
        IpAddress::Ipv6(address) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
            port,
            flow_info: 0,
            address,
            scope_id: 0,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(url: &str) -> IpAddressFamily {
        address(&Url::parse(url).unwrap()).unwrap().0
    }

    #[test]
    fn the_address_is_that_of_the_url() {
        assert_eq!(family("http://[::1]:80/"), IpAddressFamily::Ipv6);
        assert_eq!(family("http://name/"), IpAddressFamily::Ipv4);
        let (_, address) = address(&Url::parse("http://10.0.0.7:81/").unwrap()).unwrap();
        assert_eq!(
            format!("{address:?}"),
            "IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 81, address: (10, 0, 0, 7) })"
        );
    }
}
