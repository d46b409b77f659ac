//! The end of a server.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::support::{Server, scrape, within};

#[tokio::test]
async fn a_response_under_way_is_finished_and_nothing_else_is_begun() {
    let mut server = Server::start();
    let gate = server.exporter.close_gate();
    let mut idle = server.connect().await;
    idle.send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").await;
    idle.answer().await;
    let mut silent = server.connect().await;
    let mut busy = server.connect().await;
    busy.send(&scrape("")).await;
    within(gate.entered).await.unwrap();
    server.stop();
    assert_eq!(idle.rest().await, b"");
    assert_eq!(silent.rest().await, b"");
    assert!(TcpStream::connect(server.address).await.is_err(), "it still accepts");
    drop(gate.open);
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(answer.text(), "# Text All rendering 1 version 0\n");
    assert_eq!(busy.rest().await, b"");
    server.ended().await;
}

#[tokio::test]
async fn a_response_that_takes_too_long_is_cut_off() {
    let mut server = Server::with(|settings| settings.limits.drain = Duration::from_millis(20));
    let gate = server.exporter.close_gate();
    let mut busy = server.connect().await;
    busy.send(&scrape("")).await;
    within(gate.entered).await.unwrap();
    server.stop();
    server.ended().await;
    assert_eq!(busy.rest().await, b"");
    drop(gate.open);
}

#[tokio::test]
async fn a_server_that_is_dropped_closes_everything() {
    let server = Server::start();
    let mut client = server.connect().await;
    client.send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").await;
    client.answer().await;
    let address = server.address;
    drop(server);
    assert_eq!(client.rest().await, b"");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
#[should_panic(expected = "PoisonError")]
async fn a_panic_in_a_rendering_ends_the_server() {
    let mut server = Server::start();
    let exporter = std::sync::Arc::clone(&server.exporter);
    let _ = std::thread::spawn(move || {
        let _guard = exporter.padding.lock().unwrap();
        panic!("poisons the lock that a rendering takes");
    })
    .join();
    let mut client = server.connect().await;
    client.send(&scrape("")).await;
    client.rest().await;
    server.ended().await;
}
