//! One row, measured.

use ga4_simulator::Bucket;

use crate::{
    outcome::Outcome,
    record::Record,
    rig::Rig,
    row::{Lasts, NEWS, REPORTS, Row, SHOP, Way},
};

/// Runs a row in a runtime of its own.
pub(crate) fn run(row: &Row) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(measure(row))
}

async fn measure(row: &Row) -> Outcome {
    let mut rig = Rig::start(&row.setting).await;
    let scrape_every = row.setting.scrape_every;
    while rig.time.seconds() < row.setting.onset {
        rig.time.step(row.setting.step).await;
        if rig.time.seconds() % KEEP_ALIVE == 0 {
            rig.scrape().await;
        }
    }
    let before = rig.scrape().await;
    let all_up = [SHOP, NEWS].iter().all(|id| REPORTS.iter().all(|report| before.is_up(id, report)));
    assert!(all_up || row.setting.way == Way::NoName, "{}: not all is well at the beginning: {before:?}", row.name);

    let mut record = Record::starting(&rig, before, &row.setting);
    let end = end(&row.lasts, &rig);
    let mut running = row.trouble.begin(&mut rig).await;
    let mut scrape = rig.scrape().await;
    record.begun(&rig);
    record.note(&rig, &scrape, None).await;
    while rig.time.seconds() < end {
        record.note_all(row.trouble.go_on(&rig, &mut running).await);
        rig.time.step(row.setting.step).await;
        if rig.time.seconds() % scrape_every == 0 {
            record.note(&rig, &rig.scrape().await, None).await;
        }
    }
    row.trouble.end(&mut rig, running, row.setting.config).await;
    let recovery = rig.time.seconds();
    let latest = recovery + if row.setting.way == Way::NoName { 0 } else { LONGEST_RECOVERY };
    while rig.time.seconds() < latest && !record.is_over(&rig, &scrape, recovery).await {
        rig.time.step(row.setting.step).await;
        if rig.time.seconds() % scrape_every == 0 {
            scrape = rig.scrape().await;
            record.note(&rig, &scrape, Some(recovery)).await;
        }
    }
    row.trouble.check(&rig);
    record.outcome(&rig, recovery, matches!(row.lasts, Lasts::Moment)).await
}

/// When it is over, in seconds since the start.
fn end(lasts: &Lasts, rig: &Rig) -> i64 {
    let now = rig.time.seconds();
    match lasts {
        Lasts::Moment => now,
        Lasts::Minutes(minutes) => now + 60 * minutes,
        Lasts::UntilRefill(bucket) => now + until_refill(rig, *bucket),
    }
}

fn until_refill(rig: &Rig, bucket: Bucket) -> i64 {
    rig.simulator.next_refill(SHOP, bucket).duration_since(rig.time.now()).as_secs()
}

/// Often enough that the connection is not closed as idle, in seconds.
const KEEP_ALIVE: i64 = 60;

/// Nothing takes as long, in seconds.
const LONGEST_RECOVERY: i64 = 2 * 3600;
