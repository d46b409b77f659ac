//! What happens to clients that are slow or many.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Client, Server, scrape, within};

const HEALTHY: &str = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";

/// Connects, and holds a slot for sure: the answer has come.
async fn occupy(server: &Server) -> Client {
    let mut client = server.connect().await;
    client.send(HEALTHY).await;
    assert_eq!(client.answer().await.status, 200);
    client
}

/// Tries until there is room.
async fn room(server: &Server) {
    within(async { while server.ask(HEALTHY).await.status != 200 {} }).await;
}

#[tokio::test]
async fn the_257th_connection_is_refused_until_one_closes() {
    let server = Server::start();
    let mut clients = Vec::new();
    for _ in 0..256 {
        clients.push(occupy(&server).await);
    }
    let mut refused = server.connect().await;
    refused.send(HEALTHY).await;
    let answer = refused.answer().await;
    assert_eq!((answer.status, answer.text()), (503, "Too many connections; try again later.\n"));
    assert_eq!(refused.rest().await, b"");
    // What it still sends is taken, for else its system might throw away the answer: far more than fits in between.
    within(refused.stream.write_all(&vec![b'x'; 16 << 20])).await.unwrap();
    // Those that are in are served all the same.
    clients[255].send(HEALTHY).await;
    assert_eq!(clients[255].answer().await.status, 200);
    clients.pop();
    room(&server).await;
}

#[tokio::test]
async fn refusing_is_limited_too() {
    let server = Server::with(|settings| settings.limits.connections = 1);
    let _slot = occupy(&server).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(server.connect().await);
    }
    assert_eq!(server.connect().await.rest().await, b"", "closed without a word");
    silent[0].send(HEALTHY).await;
    assert_eq!(silent[0].answer().await.status, 503);
}

#[tokio::test]
async fn a_refused_client_is_not_waited_for_forever() {
    let server = Server::with(|settings| {
        settings.limits.connections = 0;
        settings.limits.refusal = Duration::from_millis(1);
    });
    assert_eq!(server.connect().await.rest().await, b"");
}

#[tokio::test]
async fn a_slow_header_is_cut_off() {
    let server = Server::with(|settings| settings.limits.header = Duration::from_millis(20));
    let mut silent = server.connect().await;
    assert_eq!(silent.rest().await, b"");
    let mut slow = server.connect().await;
    slow.send("GET /metrics HTTP/1.1\r\nHost:").await;
    assert_eq!(slow.rest().await, b"");
    assert_eq!(server.exporter.rendered(), 0);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::with(|settings| settings.limits.idle = Duration::from_millis(20));
    let mut idle = occupy(&server).await;
    assert_eq!(idle.rest().await, b"");
}

#[tokio::test]
async fn a_slow_reader_is_cut_off() {
    let server = Server::with(|settings| {
        settings.limits.connections = 1;
        settings.limits.response = Duration::from_secs(1);
    });
    let size = 64 << 20; // more than the system buffers
    *server.exporter.padding.lock().unwrap() = vec![b'#'; size];
    let mut slow = server.connect().await;
    slow.send(&scrape("")).await;
    room(&server).await;
    let mut received = Vec::new();
    let _ = within(slow.stream.read_to_end(&mut received)).await; // may end with a reset
    assert!(received.len() < size, "{} of {size}", received.len());
}

#[tokio::test]
async fn a_rendering_that_takes_too_long_is_not_waited_for() {
    let server = Server::with(|settings| settings.limits.response = Duration::from_millis(20));
    let gate = server.exporter.close_gate();
    let mut client = server.connect().await;
    client.send(&scrape("")).await;
    assert_eq!(client.rest().await, b"");
    drop(gate);
}
