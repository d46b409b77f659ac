//! SQLite's own shell reads while `sync` writes.

use std::process::Command;

use jiff::civil::date;

use crate::support::{SHOP, Town};

#[tokio::test]
#[ignore = "needs SQLite's shell: make test runs it"]
async fn the_shell_sees_whole_transactions_while_sync_writes() {
    let town = Town::new().await;
    let (database, path) = (town.sqlite("ga.db"), town.path("ga.db"));
    let read = move || {
        let halves =
            "select count(*) from ga_days left join ga_daily using (property_id, date) where ga_daily.date is null";
        let output = Command::new("sqlite3").arg("-readonly").arg(&path).arg(halves).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    town.sync(&database, &["--to", "2026-10-25"]).await.unwrap();
    assert_eq!(read(), ("0\n".to_owned(), String::new()));
    let mut reads = 0;
    for _ in 0..5 {
        let mut sync = Box::pin(town.sync(&database, &[]));
        loop {
            let reader = tokio::task::spawn_blocking(read.clone());
            let done = tokio::select! {
                result = &mut sync => { result.unwrap(); true }
                seen = reader => {
                    let (rows, error) = seen.unwrap();
                    assert!(rows == "0\n" || error.contains("locked"), "{rows} {error}");
                    reads += 1;
                    false
                }
            };
            if done {
                break;
            }
        }
        town.pass(24);
    }
    assert!(reads > 0);
    assert_eq!(town.stored("ga.db", SHOP).len(), town.truth(SHOP, date(2026, 10, 20)).len() - 1);
}
