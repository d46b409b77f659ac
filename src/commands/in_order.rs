//! Processes many properties, several at a time, and prints the results in order, each as soon as those before
//! it are printed.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
};

use tokio::task::JoinSet;

/// Runs `work` for each item and passes the results to `hand_on` in the order of the items. Stops at the first error
/// of `hand_on` and cancels the work in progress.
///
/// # Errors
/// The error of `hand_on`.
pub(super) async fn in_order<T, R: Send + 'static, F: Future<Output = R> + Send + 'static>(
    items: Vec<T>,
    work: impl Fn(T) -> F,
    mut hand_on: impl FnMut(R) -> io::Result<()>,
) -> io::Result<()> {
    let mut waiting: VecDeque<T> = items.into();
    let (mut working, mut early) = (JoinSet::new(), BTreeMap::new());
    let (mut begun, mut next) = (0_usize, 0_usize);
    loop {
        // Results that wait for earlier ones also use memory.
        while working.len() + early.len() < AT_ONCE
            && let Some(item) = waiting.pop_front()
        {
            let (place, work) = (begun, work(item));
            working.spawn(async move { (place, work.await) });
            begun += 1;
        }
        let Some(done) = working.join_next().await else { return Ok(()) };
        let (place, result) = done.map_err(io::Error::other)?;
        early.insert(place, result);
        while let Some(result) = early.remove(&next) {
            next += 1;
            hand_on(result)?;
        }
    }
}

/// The highest number of items that are in progress or waiting to be passed on.
const AT_ONCE: usize = 4;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn results_come_in_order() {
        let mut seen = Vec::new();
        let work = |item: u64| async move {
            tokio::time::sleep(Duration::from_secs(100 - item)).await;
            item
        };
        in_order((0..20).collect(), work, |item| {
            seen.push(item);
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_cannot_be_handed_on_ends_it() {
        let mut count = 0;
        let ended = in_order(
            vec![(); 1000],
            |()| async {},
            |()| {
                count += 1;
                if count == 3 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
            },
        )
        .await;
        assert_eq!((ended.unwrap_err().kind(), count), (io::ErrorKind::BrokenPipe, 3));
    }
}
