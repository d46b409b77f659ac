use std::{
    pin::{Pin, pin},
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Waker},
    time::Duration,
};

use jiff::SignedDuration;

use super::{super::Unobserved, *};

/// Counts its renderings; each changes it when `restless`, and waits while somebody has the `gate`.
#[derive(Default)]
struct Fake {
    gate: Mutex<()>,
    version: AtomicU64,
    rendered: AtomicU64,
    /// How many of them came in pieces.
    in_pieces: AtomicU64,
    restless: bool,
}

impl Metrics for Fake {
    fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn render(&self, _format: Format, _scope: Scope, _now: Timestamp) -> Rendering {
        let _gate = self.gate.lock();
        self.version.fetch_add(self.restless.into(), Ordering::SeqCst);
        let number = self.rendered.fetch_add(1, Ordering::SeqCst);
        Rendering { text: number.to_string().into_bytes(), valid_until: Some(Timestamp::MAX) }
    }

    fn render_in_pieces(
        &self,
        format: Format,
        scope: Scope,
        now: Timestamp,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Option<Timestamp> {
        self.in_pieces.fetch_add(1, Ordering::SeqCst);
        let Rendering { text, valid_until } = self.render(format, scope, now);
        text.chunks(1).for_each(sink);
        valid_until
    }
}

/// Every scrape sees every change.
fn renderings(exporter: &Arc<Fake>) -> Renderings {
    with(exporter, Duration::ZERO)
}

/// A text that is out of date serves for this long, the last part of it while the next is made.
fn with(exporter: &Arc<Fake>, reuse_changed: Duration) -> Renderings {
    let budget = Budget::new(1 << 20, Arc::new(Unobserved));
    let limits = Limits { reuse: HOUR, reuse_changed, renewal: reuse_changed / 2, ..Limits::default() };
    Renderings::new(Arc::clone(exporter) as Arc<dyn Metrics>, Clock::system(), &limits, budget)
}

async fn until_renewed(renderings: &Renderings) {
    let mut renewals = std::mem::take(&mut *renderings.renewals.lock().unwrap());
    assert!(renewals.join_next().await.is_some_and(|ended| ended.is_ok()), "nothing was renewed");
}

fn text_slot(renderings: &Renderings) -> &Slot {
    &renderings.slots[0]
}

async fn body(renderings: &Renderings, encoding: Encoding) -> Bytes {
    renderings.body(Format::Text, Scope::All, encoding).await.unwrap()
}

fn poll_once<F: Future>(future: Pin<&mut F>) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.poll(&mut context).is_pending());
}

#[tokio::test]
async fn whoever_waits_while_another_renders_shares_the_next_rendering() {
    // Each rendering is out of date at once, so that only waiting together can make them share one.
    let exporter = Arc::new(Fake { restless: true, ..Fake::default() });
    let renderings = renderings(&exporter);
    let other = Arc::clone(&text_slot(&renderings).rendering).lock_owned().await;
    let mut first = pin!(body(&renderings, Encoding::Identity));
    let mut second = pin!(body(&renderings, Encoding::Identity));
    let mut third = pin!(body(&renderings, Encoding::Gzip));
    let mut fourth = pin!(body(&renderings, Encoding::Gzip));
    poll_once(first.as_mut());
    poll_once(second.as_mut());
    poll_once(third.as_mut());
    poll_once(fourth.as_mut());
    drop(other);
    let bodies = tokio::join!(first, second, third, fourth);
    assert_eq!((&*bodies.0, &*bodies.1), (&b"0"[..], &b"0"[..]));
    assert_eq!(bodies.2.as_ptr(), bodies.3.as_ptr(), "packed once");
    assert_eq!(exporter.rendered.load(Ordering::SeqCst), 1);
    assert_eq!(body(&renderings, Encoding::Identity).await, "1");
}

#[tokio::test]
async fn what_is_being_made_is_finished_even_if_nobody_waits() {
    for encoding in [Encoding::Identity, Encoding::Gzip] {
        let exporter = Arc::new(Fake::default());
        let renderings = renderings(&exporter);
        let gate = exporter.gate.lock().unwrap();
        let mut leaver = Box::pin(body(&renderings, encoding));
        poll_once(leaver.as_mut());
        drop(leaver);
        drop(gate);
        body(&renderings, encoding).await;
        assert_eq!(exporter.rendered.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn the_plain_text_is_made_only_while_somebody_wants_it() {
    let exporter = Arc::new(Fake::default());
    let renderings = renderings(&exporter);
    let in_pieces = || exporter.in_pieces.load(Ordering::SeqCst);
    let has_plain = || text_slot(&renderings).state().plain.is_some();
    body(&renderings, Encoding::Gzip).await;
    assert!(!has_plain() && in_pieces() == 1);
    body(&renderings, Encoding::Identity).await;
    exporter.version.fetch_add(1, Ordering::SeqCst);
    body(&renderings, Encoding::Gzip).await;
    assert!(has_plain() && in_pieces() == 1);
    renderings.source.clock.advance(KEEP_PLAIN);
    exporter.version.fetch_add(1, Ordering::SeqCst);
    body(&renderings, Encoding::Gzip).await;
    assert!(!has_plain() && in_pieces() == 2);
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "only the thread that renders waits for it")]
async fn who_wants_the_plain_text_while_another_is_packed_gets_the_next() {
    let exporter = Arc::new(Fake::default());
    let renderings = renderings(&exporter);
    let gate = exporter.gate.lock().unwrap();
    let mut packed = pin!(body(&renderings, Encoding::Gzip));
    poll_once(packed.as_mut());
    while exporter.in_pieces.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let mut plain = pin!(body(&renderings, Encoding::Identity));
    poll_once(plain.as_mut());
    drop(gate);
    let (packed, plain) = tokio::join!(packed, plain);
    assert_eq!((&*packed, &*plain), (&*compress(b"0"), &b"1"[..]));
    assert_eq!(exporter.rendered.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_plain_text_that_nobody_wants_is_packed_while_it_is_made() {
    let exporter = Arc::new(Fake::default());
    let renderings = renderings(&exporter);
    let made = || (exporter.rendered.load(Ordering::SeqCst), exporter.in_pieces.load(Ordering::SeqCst));
    exporter.rendered.fetch_add(10, Ordering::SeqCst);
    assert_eq!(body(&renderings, Encoding::Gzip).await, compress(b"10"));
    assert_eq!(made(), (11, 1));
    let text = text_slot(&renderings).state().gzip.clone().unwrap();
    assert_eq!((text.stamp.number, text.stamp.valid_until), (1, Some(Timestamp::MAX)));
    body(&renderings, Encoding::Identity).await;
    exporter.version.fetch_add(1, Ordering::SeqCst);
    assert_eq!(body(&renderings, Encoding::Gzip).await, compress(b"12"));
    assert_eq!(made(), (13, 1), "one rendering for both");
}

#[tokio::test]
async fn with_half_of_the_memory_in_use_a_change_makes_no_new_text() {
    let exporter = Arc::new(Fake::default());
    let renderings = renderings(&exporter);
    assert_eq!(body(&renderings, Encoding::Identity).await, "0");
    let slow = renderings.source.budget.admit(vec![0; 600 << 10]).unwrap();
    exporter.version.fetch_add(1, Ordering::SeqCst);
    assert_eq!(body(&renderings, Encoding::Identity).await, "0");
    drop(slow);
    assert_eq!(body(&renderings, Encoding::Identity).await, "1");
    let _slow = renderings.source.budget.admit(vec![0; 600 << 10]).unwrap();
    renderings.source.clock.advance(SignedDuration::try_from(HOUR).unwrap());
    assert_eq!(body(&renderings, Encoding::Identity).await, "2", "no text gets older than that");
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "only the thread that renders waits for it")]
async fn while_a_text_serves_the_next_is_made_once() {
    for encoding in [Encoding::Identity, Encoding::Gzip] {
        let exporter = Arc::new(Fake::default());
        let renderings = with(&exporter, HOUR / 2);
        let first = body(&renderings, encoding).await;
        exporter.version.fetch_add(1, Ordering::SeqCst);
        assert_eq!(body(&renderings, encoding).await, first, "it is young");
        assert_eq!(renderings.renewals.lock().unwrap().len(), 0);
        renderings.source.clock.advance(SignedDuration::from_mins(28));
        let gate = exporter.gate.lock().unwrap();
        for _ in 0..3 {
            assert_eq!(body(&renderings, encoding).await, first, "nobody waits");
        }
        assert_eq!(renderings.renewals.lock().unwrap().len(), 1);
        drop(gate);
        until_renewed(&renderings).await;
        assert_ne!(body(&renderings, encoding).await, first);
        assert_eq!(exporter.rendered.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn without_room_for_the_next_the_old_one_serves_to_its_end() {
    let exporter = Arc::new(Fake::default());
    let renderings = with(&exporter, HOUR / 2);
    let first = body(&renderings, Encoding::Identity).await;
    exporter.version.fetch_add(1, Ordering::SeqCst);
    renderings.source.clock.advance(SignedDuration::from_mins(28));
    let _slow = renderings.source.budget.admit(vec![0; (1 << 20) - 1]).unwrap();
    assert_eq!(body(&renderings, Encoding::Identity).await, first);
    renderings.source.clock.advance(SignedDuration::from_mins(31));
    assert_eq!(body(&renderings, Encoding::Identity).await, first, "with little memory a change counts for nothing");
    assert_eq!(exporter.rendered.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_room_nothing_is_rendered() {
    for encoding in [Encoding::Identity, Encoding::Gzip] {
        let exporter = Arc::new(Fake::default());
        let renderings = renderings(&exporter);
        let slow = renderings.source.budget.admit(vec![0; 1 << 20]).unwrap();
        // How long it gets is not known yet.
        body(&renderings, encoding).await;
        renderings.source.clock.advance(SignedDuration::try_from(HOUR).unwrap());
        assert_eq!(renderings.body(Format::Text, Scope::All, encoding).await, Err(NoRoom));
        assert_eq!(exporter.rendered.load(Ordering::SeqCst), 1);
        drop(slow);
        body(&renderings, encoding).await;
        assert_eq!(exporter.rendered.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn the_room_for_a_packed_text_is_known_however_the_last_one_was_made() {
    let exporter = Arc::new(Fake::default());
    let renderings = renderings(&exporter);
    body(&renderings, Encoding::Identity).await;
    body(&renderings, Encoding::Gzip).await;
    let _slow = renderings.source.budget.admit(vec![0; (1 << 20) - 100]).unwrap();
    renderings.source.clock.advance(SignedDuration::try_from(HOUR).unwrap());
    renderings.release();
    let _rest = renderings.source.budget.admit(vec![0; 100]).unwrap();
    assert_eq!(renderings.body(Format::Text, Scope::All, Encoding::Gzip).await, Err(NoRoom));
}

#[tokio::test(start_paused = true)]
async fn texts_of_no_more_use_are_let_go() {
    let exporter = Arc::new(Fake::default());
    let renderings = renderings(&exporter);
    let tidied = async {
        let start = time::Instant::now();
        body(&renderings, Encoding::Gzip).await;
        body(&renderings, Encoding::Identity).await;
        assert!(renderings.held());
        renderings.source.clock.advance(SignedDuration::try_from(HOUR).unwrap());
        while renderings.held() {
            time::sleep(Duration::from_secs(1)).await;
        }
        assert!(start.elapsed() >= HOUR);
    };
    tokio::select! {
        () = renderings.keep_tidy() => unreachable!("it never ends"),
        () = tidied => {}
    }
}

#[test]
fn texts_still_of_use_are_not_let_go() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let renderings = renderings(&Arc::new(Fake::default()));
    runtime.block_on(body(&renderings, Encoding::Gzip));
    renderings.release();
    assert!(renderings.held());
}

const HOUR: Duration = Duration::from_secs(3600);
