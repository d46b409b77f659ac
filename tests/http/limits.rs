//! What happens to clients that are slow or many.

use std::{sync::atomic::Ordering, time::Duration};

use ga4_exporter_core::names::RefusedReason;
use jiff::SignedDuration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time,
};

use crate::support::{Client, Server, scrape, within};

const HEALTHY: &str = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";

/// Tries until there is room.
async fn room(server: &Server) {
    within(async { while server.ask(HEALTHY).await.status != 200 {} }).await;
}

/// Connects and is idle: an answer has come, and all of it.
async fn idle(server: &Server) -> Client {
    let mut client = server.connect().await;
    client.send(HEALTHY).await;
    assert_eq!(client.answer().await.status, 200);
    client
}

#[tokio::test]
async fn the_257th_connection_is_refused_until_one_closes() {
    let server = Server::start();
    let mut clients = Vec::new();
    for _ in 0..256 {
        clients.push(server.connect().await);
    }
    let mut refused = server.connect().await;
    refused.send(HEALTHY).await;
    let answer = refused.answer().await;
    assert_eq!((answer.status, answer.text()), (503, "Too many connections; try again later.\n"));
    assert_eq!(refused.rest().await, b"");
    // What it still sends is read; otherwise its system might drop the answer. It is far more than buffers hold.
    within(refused.stream.write_all(&vec![b'x'; 16 << 20])).await.unwrap();
    let seen = &server.exporter.seen;
    assert_eq!(*seen.refusals.lock().unwrap(), [RefusedReason::Limit]);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 256);
    // Those that are in are served all the same.
    clients[255].send("GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(clients[255].answer().await.status, 200);
    room(&server).await;
}

#[tokio::test]
async fn an_idle_connection_makes_room_for_another() {
    let server = Server::with(|settings| settings.limits.connections = 2);
    let mut idle = idle(&server).await;
    let mut silent = server.connect().await;
    let mut further = server.connect().await;
    further.send(HEALTHY).await;
    assert_eq!(further.answer().await.status, 200);
    assert_eq!(idle.rest().await, b"");
    silent.send(HEALTHY).await;
    assert_eq!(silent.answer().await.status, 200);
    assert_eq!(*server.exporter.seen.refusals.lock().unwrap(), []);
}

/// As in the attack that was reported: the texts that slow clients keep alive stay within the budget, and who does not fit gets
/// an answer that says so.
#[tokio::test]
async fn slow_readers_share_one_budget_of_memory() {
    let (size, memory) = (4 << 20, 32 << 20); // each is more than the system buffers
    let server = Server::with(|settings| settings.limits.memory = memory);
    *server.exporter.padding.lock().unwrap() = vec![b'#'; size];
    let mut slow = Vec::new();
    let mut refused = 0;
    for _ in 0..160 {
        server.exporter.change();
        server.clock.advance(SignedDuration::from_hours(1)); // too old, whatever is short
        let mut client = server.connect_slowly().await;
        client.send(&scrape("")).await;
        let head = client.head().await;
        if head.status == 503 {
            assert_eq!(head.header("retry-after"), Some("5"));
            refused += 1;
        }
        slow.push(client);
    }
    let seen = &server.exporter.seen;
    let most = seen.most_bytes.load(Ordering::SeqCst);
    assert!(most <= memory && most > memory / 2, "{most} bytes");
    assert!(refused > 140, "{refused}");
    assert_eq!(*seen.refusals.lock().unwrap(), vec![RefusedReason::Memory; refused]);
    assert_eq!(server.get("/-/healthy").await.status, 200);
    drop(slow);
    within(async { while server.scrape("").await.status != 200 {} }).await;
}

/// The list is shared, and what is put in for each client is put together while it is sent.
#[tokio::test]
async fn slow_readers_of_targets_share_the_list() {
    let server = Server::start();
    server.exporter.further.store(100_000, Ordering::SeqCst);
    let mut slow = Vec::new();
    for number in 0..70 {
        let mut client = server.connect_slowly().await;
        client.send(&format!("GET /sd HTTP/1.1\r\nHost: exporter-{number}.example:9674\r\n\r\n")).await;
        assert_eq!(client.head().await.status, 200);
        slow.push(client);
    }
    let most = server.exporter.seen.most_bytes.load(Ordering::SeqCst);
    assert!(most < 2 << 20, "{most} bytes");
    assert_eq!(server.exporter.lists.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_reader_below_the_least_rate_is_cut_off() {
    let server = Server::with(|settings| settings.limits.pace = Duration::from_millis(50));
    let size = 16 << 20; // more than the system buffers
    *server.exporter.padding.lock().unwrap() = vec![b'#'; size];
    let mut slow = server.connect_slowly().await;
    slow.send(&scrape("")).await;
    let mut other = server.connect().await; // idle, so that its place is the only one left
    other.send(HEALTHY).await;
    other.answer().await;
    within(async {
        while server.exporter.seen.connections.load(Ordering::SeqCst) > 1 {
            time::sleep(Duration::from_millis(1)).await
        }
    })
    .await;
    let mut received = Vec::new();
    let _ = within(slow.stream.read_to_end(&mut received)).await; // may end with a reset
    assert!(received.len() < size, "{} of {size}", received.len());
}

#[tokio::test]
async fn refusing_is_limited_too() {
    let server = Server::with(|settings| settings.limits.connections = 1);
    let _busy = server.connect().await;
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
    assert_eq!(*server.exporter.seen.refusals.lock().unwrap(), [RefusedReason::HeaderTimeout; 2]);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::with(|settings| settings.limits.idle = Duration::from_millis(20));
    let mut idle = idle(&server).await;
    assert_eq!(idle.rest().await, b"");
}

#[tokio::test]
async fn a_slow_reader_is_cut_off() {
    let server = Server::with(|settings| {
        settings.limits.connections = 1;
        settings.limits.response = Duration::from_secs(1);
        settings.limits.least_rate = 0;
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
