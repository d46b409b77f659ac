//! What can go wrong, and how it is made to.

use std::{fs, path::PathBuf};

use ga4_simulator::{Bucket, Effect, Fault, FaultId, Method};
use tokio::net::TcpStream;

use crate::{
    front::Manner,
    rig::{Rig, shop},
    row::{NEWS, SHOP},
};

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// Both reports of one property are answered so.
    Reports(Effect),
    /// Only that report of the property is.
    Report(Method, Effect),
    /// Every request to the Data API, whatever the property.
    DataApi(Effect),
    /// Everything at Google.
    Google(Effect),
    /// Requests for a token.
    SignIn(Effect),
    /// The listing of the properties.
    Listing(Effect),
    /// The second page of the listing; the property is on it.
    SecondPage(Effect),
    /// The service account is removed from the property.
    NoAccess,
    /// The listing does not show the property any more.
    NotListed,
    /// Google takes back all tokens.
    TokensRevoked,
    /// The key is deleted; in the end another key file is put into its place.
    KeyDeleted,
    /// Others empty a bucket of the property.
    Emptied(Method, Bucket),
    /// The exporter's clock is wrong by this many seconds.
    WrongClock(i64),
    /// The machine sleeps this many seconds.
    Suspended(i64),
    /// Nobody listens at Google's address.
    Refused,
    /// Google's certificate has expired.
    ExpiredCertificate,
    /// All file descriptors are in use, and the connections to Google end.
    NoDescriptors,
    /// The disk is full.
    FullDisk,
    /// This many clients connect and say nothing.
    SilentClients(usize),
    /// The configuration is reloaded with a mistake.
    BadReload,
    /// Nothing but the setting.
    Setting,
}

/// What is to be undone in the end.
#[derive(Default)]
pub(crate) struct Running {
    faults: Vec<FaultId>,
    files: Vec<fs::File>,
    clients: Vec<TcpStream>,
    began: Option<i64>,
    /// Whether a further client has been served again.
    serves_again: bool,
}

impl Trouble {
    pub(crate) async fn begin(&self, rig: &mut Rig) -> Running {
        let mut running = Running::default();
        let both = |effect: &Effect| Fault::new(effect.clone()).on(Method::RunReport).on(Method::RunRealtimeReport);
        let faults = match self {
            Self::Reports(effect) => vec![both(effect).property(SHOP)],
            Self::Report(method, effect) => vec![Fault::new(effect.clone()).on(*method).property(SHOP)],
            Self::DataApi(effect) => vec![both(effect)],
            Self::Google(effect) => vec![Fault::new(effect.clone())],
            Self::SignIn(effect) => vec![Fault::new(effect.clone()).on(Method::Token)],
            Self::Listing(effect) => vec![Fault::new(effect.clone()).on(Method::AccountSummaries)],
            Self::SecondPage(effect) => vec![Fault::new(effect.clone()).on(Method::AccountSummaries).page(1)],
            Self::KeyDeleted => {
                let (error, description) = ("invalid_grant".to_owned(), "Invalid JWT Signature.".to_owned());
                vec![Fault::new(Effect::RefuseToken(400, error, description)).on(Method::Token)]
            }
            Self::NoAccess
            | Self::NotListed
            | Self::TokensRevoked
            | Self::Emptied(..)
            | Self::WrongClock(_)
            | Self::Suspended(_)
            | Self::Refused
            | Self::ExpiredCertificate
            | Self::NoDescriptors
            | Self::FullDisk
            | Self::SilentClients(_)
            | Self::BadReload
            | Self::Setting => Vec::new(),
        };
        running.faults = faults.into_iter().map(|fault| rig.simulator.inject(fault)).collect();
        self.begin_elsewhere(rig, &mut running).await;
        rig.time.settle().await;
        running
    }

    /// What is done elsewhere than in the simulator's answers.
    async fn begin_elsewhere(&self, rig: &mut Rig, running: &mut Running) {
        match self {
            Self::NoAccess => assert!(rig.simulator.edit(SHOP, |shop| shop.without_data_access())),
            Self::NotListed => assert!(rig.simulator.edit(SHOP, |shop| shop.unlisted())),
            Self::TokensRevoked => rig.simulator.revoke_tokens(),
            Self::Emptied(Method::RunRealtimeReport, bucket) => {
                rig.simulator.take_realtime_quota(SHOP, *bucket, EVERYTHING);
            }
            Self::Emptied(_, bucket) => rig.simulator.take_core_quota(SHOP, *bucket, EVERYTHING),
            Self::WrongClock(seconds) => rig.time.set_error(*seconds).await,
            Self::Suspended(seconds) => rig.time.suspend(*seconds).await,
            Self::Refused => rig.front.as_mut().unwrap().close().await,
            Self::ExpiredCertificate => rig.front.as_mut().unwrap().reopen(Manner::ExpiredTls).await,
            Self::NoDescriptors => {
                rig.front.as_mut().unwrap().reopen(Manner::Plain).await;
                self.take_descriptors(running);
            }
            Self::FullDisk => {
                for (new, state) in states(rig, NEW).iter().zip(states(rig, STATE)) {
                    fs::remove_file(state).unwrap();
                    // No file can be made in its place, as on a full disk.
                    fs::create_dir(new).unwrap();
                }
            }
            Self::SilentClients(count) => {
                for _ in 0..*count {
                    running.clients.push(TcpStream::connect(rig.address()).await.unwrap());
                }
            }
            Self::BadReload => assert_eq!(rig.reload("reports: {trafic: {interval: 1m}}").await, 500),
            Self::Reports(_)
            | Self::Report(..)
            | Self::DataApi(_)
            | Self::Google(_)
            | Self::SignIn(_)
            | Self::Listing(_)
            | Self::SecondPage(_)
            | Self::KeyDeleted
            | Self::Setting => {}
        }
    }

    /// Called before every second that it lasts; what else is to be noted.
    pub(crate) async fn go_on(&self, rig: &Rig, running: &mut Running) -> Vec<String> {
        self.take_descriptors(running);
        let mut signs = Vec::new();
        if matches!(self, Self::SilentClients(_)) && !running.serves_again {
            let seconds = rig.time.seconds();
            let since = running.began.get_or_insert(seconds);
            running.serves_again = rig.fresh_client_is_served().await;
            if running.serves_again {
                signs.push(format!("further clients get 503 for {} s", seconds - *since));
            }
        }
        signs
    }

    fn take_descriptors(&self, running: &mut Running) {
        while matches!(self, Self::NoDescriptors)
            && let Ok(file) = fs::File::open("/dev/null")
        {
            running.files.push(file);
        }
    }

    pub(crate) async fn end(&self, rig: &mut Rig, running: Running, config: &str) {
        for fault in &running.faults {
            rig.simulator.clear(*fault);
        }
        drop(running);
        match self {
            Self::NoAccess => assert!(rig.simulator.edit(SHOP, |shop| shop.with_data_access())),
            Self::NotListed => assert!(rig.simulator.edit(SHOP, |_| shop())),
            Self::KeyDeleted => {
                let key = rig.directory.path().join("key.json");
                fs::remove_file(&key).unwrap();
                fs::write(&key, rig.simulator.key_file_json()).unwrap();
            }
            Self::WrongClock(_) => rig.time.set_error(0).await,
            Self::Refused => rig.front.as_mut().unwrap().reopen(Manner::Plain).await,
            Self::ExpiredCertificate => rig.front.as_mut().unwrap().reopen(Manner::Tls).await,
            Self::FullDisk => {
                for (new, state) in states(rig, NEW).iter().zip(states(rig, STATE)) {
                    assert!(!state.exists(), "nothing can be written");
                    fs::remove_dir(new).unwrap();
                }
            }
            Self::BadReload => assert_eq!(rig.reload(config).await, 200),
            Self::Reports(_)
            | Self::Report(..)
            | Self::DataApi(_)
            | Self::Google(_)
            | Self::SignIn(_)
            | Self::Listing(_)
            | Self::SecondPage(_)
            | Self::TokensRevoked
            | Self::Emptied(..)
            | Self::Suspended(_)
            | Self::NoDescriptors
            | Self::SilentClients(_)
            | Self::Setting => {}
        }
        rig.time.settle().await;
    }

    /// Some time after it was over.
    pub(crate) fn check(&self, rig: &Rig) {
        if matches!(self, Self::FullDisk) {
            assert!(states(rig, STATE).iter().all(|state| state.exists()), "states are written again");
        }
    }
}

fn states(rig: &Rig, end: &str) -> [PathBuf; 2] {
    [SHOP, NEWS].map(|property| rig.directory.path().join(format!("storage/{property}.{end}")))
}

const STATE: &str = "state";

/// Where states are written before they take the place of the old ones.
const NEW: &str = "new";

/// More than any bucket holds.
const EVERYTHING: u32 = 10_000_000;
