//! Google, simulated in this process.

use ga4_simulator::{Account, Property, Simulator, World};
use google_analytics_exporter::clock::Clock;

/// This number of properties, in one account.
pub(crate) async fn simulator(properties: usize) -> Simulator {
    let mut account = Account::new("104112001", "Example");
    for index in 0..properties {
        let property = Property::new(id(index), format!("Site {index}"));
        account = account.property(property.time_zone("Europe/Berlin").pageviews_per_hour(60.0));
    }
    let clock = Clock::system();
    let world = World::new(1).account(account);
    Simulator::on_loopback(world, move || clock.now()).await.expect("there is a free port")
}

/// Whatever it computes once for each property is not the exporter's time.
pub(crate) fn warm(simulator: &Simulator, properties: usize) {
    for index in 0..properties {
        let truth = simulator.truth(&id(index)).expect("it is one of them");
        let _ = truth.days_ago(28, 0, simulator.now());
    }
}

fn id(index: usize) -> String {
    (500_000_000 + index).to_string()
}
