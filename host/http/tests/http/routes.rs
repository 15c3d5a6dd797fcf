//! From a name to a connection: what is asked once, checked, and connected to.

use std::net::TcpListener;
use std::sync::atomic::Ordering;

use leasehold_http::{HttpError, Limits, Options};
use leasehold_seal::{Class, Coded};

use super::common::{
    Names, answering, client, client_of, get, limits, ok, permit, plain, run, send,
};

#[test]
fn a_name_is_not_allowed_to_lead_inside() {
    for blocks in [&[][..], &["10.0.0.0/8"], &["::1/128"]] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://intranet.test:{port}/");
        let refused = send(
            &client(),
            plain(permit("GET", &url, blocks), &[], "").unwrap(),
        )
        .unwrap_err();
        assert_eq!(refused.code(), "HTTP-ADDRESS");
        assert_eq!(refused.class(), Class::Refused);
        assert!(
            refused.to_string().contains("127.0.0.1, which is loopback"),
            "{refused}"
        );
        assert!(refused.hint().unwrap().contains("127.0.0.1/32"));
        assert!(listener.accept().is_err(), "nobody came");
    }
    let server = answering(ok("", "hello"));
    let url = format!("http://intranet.test:{}/", server.port);
    let outgoing = plain(permit("GET", &url, &["127.0.0.0/8"]), &[], "").unwrap();
    assert_eq!(send(&client(), outgoing).unwrap().body, "hello");
    assert!(server.end().contains("host: intranet.test:"));
}

/// A name whose answer changes between the look that is checked and the one that is connected to: there is only one look.
#[test]
fn a_second_answer_is_never_asked_for() {
    let server = answering(ok("", "checked"));
    let url = format!("http://rebinding.test:{}/", server.port);
    let names = Names::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = client_of(names.clone(), limits());
    let outgoing = plain(permit("GET", &url, &["127.0.0.1/32"]), &[], "").unwrap();
    let connected = run(client.connect(outgoing, Options::default())).unwrap();
    assert_eq!(
        connected.address().to_string(),
        format!("127.0.0.1:{}", server.port)
    );
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);
    drop(connected);
    server.end();
    // The next request asks anew, and is decided on anew.
    let outgoing = plain(permit("GET", &url, &["127.0.0.1/32"]), &[], "").unwrap();
    assert_eq!(send(&client, outgoing).unwrap_err().code(), "HTTP-ADDRESS");
}

#[test]
fn every_address_of_an_answer_is_looked_at() {
    let server = answering(ok("", "hello"));
    let url = format!("http://mixed.test:{}/", server.port);
    let names = Names::new(&[&["169.254.169.254", "10.0.0.1", "127.0.0.1", "::1"]]);
    let outgoing = plain(permit("GET", &url, &["127.0.0.0/8"]), &[], "").unwrap();
    let client = client_of(names, limits());
    assert_eq!(send(&client, outgoing).unwrap().body, "hello");
    server.end();
}

#[test]
fn an_address_that_is_the_host_names_itself_alone() {
    let server = answering(ok("", "hello"));
    assert_eq!(send(&client(), get(server.port)).unwrap().body, "hello");
    assert!(server.end().contains("host: 127.0.0.1:"));
    // Mapped into IPv6, it would have to be named once more, which no entry can.
    let mapped = plain(permit("GET", "http://[::ffff:127.0.0.1]:9/", &[]), &[], "").unwrap();
    assert_eq!(send(&client(), mapped).unwrap_err().code(), "HTTP-ADDRESS");
}

#[test]
fn says_why_there_is_no_connection() {
    let nothing = client_of(Names::new(&[&[]]), limits());
    let outgoing = plain(permit("GET", "http://nowhere.test/", &[]), &[], "").unwrap();
    assert_eq!(send(&nothing, outgoing).unwrap_err().code(), "HTTP-DNS");
    // A port that was given back is closed.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let refused = send(&client(), get(port)).unwrap_err();
    assert_eq!(refused.code(), "HTTP-CONNECT");
    assert!(refused.to_string().contains(&port.to_string()), "{refused}");
}

#[test]
fn the_next_address_is_tried() {
    let server = answering(ok("", "hello"));
    let names = Names::new(&[&["127.0.0.2", "127.0.0.3", "127.0.0.1"]]);
    let url = format!("http://several.test:{}/", server.port);
    let outgoing = plain(permit("GET", &url, &["127.0.0.0/8"]), &[], "").unwrap();
    assert_eq!(
        send(&client_of(names, limits()), outgoing).unwrap().body,
        "hello"
    );
    server.end();
}

#[test]
fn the_resolver_of_the_system_knows_this_machine() {
    use leasehold_http::{Client, Resolver, SystemResolver};
    let found = run(SystemResolver::default().resolve("localhost")).unwrap();
    assert!(found.iter().all(std::net::IpAddr::is_loopback) && !found.is_empty());
    assert!(run(SystemResolver::default().resolve("no such name")).is_err());
    let server = answering(ok("", "hello"));
    let url = format!("http://localhost:{}/", server.port);
    let outgoing = plain(permit("GET", &url, &["127.0.0.0/8"]), &[], "").unwrap();
    assert_eq!(send(&Client::default(), outgoing).unwrap().body, "hello");
    server.end();
}

#[test]
fn a_resolver_that_does_not_answer_is_not_waited_for() {
    struct Silent;
    impl leasehold_http::Resolver for Silent {
        fn resolve<'a>(&'a self, _name: &'a str) -> leasehold_http::Resolving<'a> {
            Box::pin(std::future::pending())
        }
    }
    let limits = Limits {
        connect: std::time::Duration::from_millis(20),
        ..limits()
    };
    let client = leasehold_http::Client::new(
        std::sync::Arc::new(Silent),
        leasehold_http::Roots::System,
        limits,
    );
    let outgoing = plain(permit("GET", "http://silent.test/", &[]), &[], "").unwrap();
    let error = send(&client, outgoing).unwrap_err();
    assert!(matches!(error, HttpError::Timeout { .. }), "{error}");
    assert_eq!(error.code(), "HTTP-TIMEOUT");
    assert_eq!(
        error.to_string(),
        "resolving the name took longer than 20 ms"
    );
}
