//! How long is waited. Limits here are short, and nothing is measured: what a test shows is which limit ends the wait.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use leasehold_http::{HttpError, Limits, Options, Phase};
use leasehold_seal::Coded;

use super::common::{
    Names, Server, answering, client_of, get, limits, ok, permit, plain, read_head, run, whole,
};

const SHORT: Duration = Duration::from_millis(40);

/// Sends a request to the server's port under these limits and options.
fn ask(port: u16, limits: Limits, options: Options) -> Result<String, HttpError> {
    let client = client_of(Names::new(&[&["127.0.0.1"]]), limits);
    run(async { whole(client.send(get(port), options).await?).await }).map(|answer| answer.body)
}

#[track_caller]
fn expired<T: std::fmt::Debug>(result: Result<T, HttpError>, expected: Phase) {
    match result.unwrap_err() {
        HttpError::Timeout { phase, limit } => assert_eq!((phase, limit), (expected, SHORT)),
        other => panic!("{other}"),
    }
}

/// A server that takes a request, sends this much and then waits until the other side is gone.
fn stalling(response: &'static str) -> Server<()> {
    Server::start(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(response.as_bytes()).unwrap();
        let _ = stream.read(&mut [0]);
    })
}

#[test]
fn the_answer_has_to_begin_in_time() {
    // Also where something comes, but never the end of the header.
    for begun in [
        "",
        "HTTP/1.1 200 OK\r\nx: ",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        let server = stalling(begun);
        let short = Limits {
            first_byte: SHORT,
            ..limits()
        };
        expired(
            ask(server.port, short, Options::default()),
            Phase::FirstByte,
        );
        server.end();
        let server = stalling(begun);
        let options = Options {
            first_byte: Some(SHORT),
            ..Options::default()
        };
        expired(ask(server.port, limits(), options), Phase::FirstByte);
        server.end();
    }
}

#[test]
fn the_body_has_to_go_on_in_time() {
    for begun in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello",
    ] {
        let server = stalling(begun);
        let short = Limits {
            between_bytes: SHORT,
            ..limits()
        };
        expired(
            ask(server.port, short, Options::default()),
            Phase::BetweenBytes,
        );
        server.end();
        let server = stalling(begun);
        let options = Options {
            between_bytes: Some(SHORT),
            ..Options::default()
        };
        expired(ask(server.port, limits(), options), Phase::BetweenBytes);
        server.end();
    }
}

/// A body may take longer than the limit between two pieces of it, as long as pieces come.
#[test]
fn a_slow_body_is_waited_for() {
    let server = Server::start(|mut stream| {
        read_head(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n")
            .unwrap();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(5));
            stream.write_all(b"x").unwrap();
        }
    });
    let generous = Limits {
        between_bytes: Duration::from_secs(5),
        ..limits()
    };
    assert_eq!(
        ask(server.port, generous, Options::default())
            .unwrap()
            .len(),
        20
    );
    server.end();
}

#[test]
fn a_guest_cannot_ask_for_more_time() {
    let server = stalling("");
    let short = Limits {
        first_byte: SHORT,
        ..limits()
    };
    let options = Options {
        first_byte: Some(Duration::from_secs(3_600)),
        ..Options::default()
    };
    expired(ask(server.port, short, options), Phase::FirstByte);
    server.end();
}

/// A runtime that stands still uses up no time: the answer, which was there all along, is found.
#[test]
fn time_in_which_nobody_waits_does_not_count() {
    let server = answering(ok("", "hello"));
    let client = client_of(
        Names::new(&[&["127.0.0.1"]]),
        Limits {
            first_byte: SHORT,
            between_bytes: SHORT,
            ..limits()
        },
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outgoing = get(server.port);
    let task =
        runtime.spawn(async move { whole(client.send(outgoing, Options::default()).await?).await });
    let mut task = std::pin::pin!(task);
    // A moment of the runtime, and then a pause longer than the limit, again and again.
    for _ in 0..3 {
        let moment = Duration::from_millis(2);
        if let Ok(done) = runtime.block_on(async { tokio::time::timeout(moment, &mut task).await })
        {
            assert_eq!(done.unwrap().unwrap().body, "hello");
            return;
        }
        std::thread::sleep(SHORT * 2);
    }
    assert_eq!(runtime.block_on(task).unwrap().unwrap().body, "hello");
    server.end();
}

#[test]
fn the_handshake_has_to_end_in_time() {
    let server =
        Server::start(|mut stream| while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {});
    let short = Limits {
        tls: SHORT,
        ..limits()
    };
    let client = client_of(Names::new(&[&["127.0.0.1"]]), short);
    let url = format!("https://good.test:{}/", server.port);
    let outgoing = plain(permit("GET", &url, &["127.0.0.0/8"]), &[], "").unwrap();
    let refused = run(client.connect(outgoing, Options::default()))
        .err()
        .unwrap();
    expired::<()>(Err(refused), Phase::Tls);
    server.end();
}

/// A listener whose queue is full answers no one.
#[test]
fn the_connection_has_to_stand_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let short = Limits {
        connect: SHORT,
        ..limits()
    };
    let mut held = Vec::new();
    // The standard library's queue takes 128 and one or two more.
    for _ in 0..400 {
        let client = client_of(Names::new(&[&["127.0.0.1"]]), short);
        match run(client.connect(get(port), Options::default())) {
            Ok(connected) => held.push(connected),
            Err(error) => {
                assert_eq!(error.code(), "HTTP-TIMEOUT");
                return expired::<()>(Err(error), Phase::Connect);
            }
        }
    }
    panic!("the queue takes more than {}", held.len());
}

/// While it is the guest that has not written its body yet, no time of the server's runs.
#[test]
fn the_guest_takes_its_time_over_its_body() {
    use bytes::Bytes;
    use hyper::body::{Body, Frame};
    use std::pin::Pin;
    use std::task::{Context, Poll};

    struct Slow(Pin<Box<tokio::time::Sleep>>, bool);
    impl Body for Slow {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            if std::mem::replace(&mut self.1, true) {
                return Poll::Ready(None);
            }
            let polled = std::future::Future::poll(self.0.as_mut(), context);
            if polled.is_pending() {
                self.1 = false;
                return Poll::Pending;
            }
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"late")))))
        }
    }

    let server = Server::start(|mut stream| {
        read_head(&mut stream);
        let mut body = [0; 14];
        stream.read_exact(&mut body).unwrap();
        stream.write_all(ok("", "hello").as_bytes()).unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    });
    // The server needs a part of the limit, the guest more than all of it.
    let limit = SHORT * 5;
    let short = Limits {
        first_byte: limit,
        ..limits()
    };
    let client = client_of(Names::new(&[&["127.0.0.1"]]), short);
    let url = format!("http://127.0.0.1:{}/", server.port);
    let answer = run(async {
        let body = Slow(Box::pin(tokio::time::sleep(limit * 2)), false);
        let outgoing = leasehold_http::Outgoing::new(
            permit("POST", &url, &[]),
            http::HeaderMap::new(),
            body,
            &[],
            std::sync::Arc::default(),
        )?;
        whole(client.send(outgoing, Options::default()).await?).await
    });
    assert_eq!(answer.unwrap().body, "hello");
    assert_eq!(server.end(), "4\r\nlate\r\n0\r\n\r\n");
}
