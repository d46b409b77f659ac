//! A simulator with a clock that stands still until it is moved, and a client that signs in to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use ga4_simulator::{Account, Property, Simulator, World};
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

pub(crate) const SHOP: &str = "313110001";
pub(crate) const READONLY: &str = "https://www.googleapis.com/auth/analytics.readonly";

/// Half past noon and 42 seconds, in the middle of a Berlin day.
pub(crate) const START: &str = "2026-07-01T10:30:42Z";

/// A simulator, its clock and a client with an access token.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) http: Client,
    pub(crate) token: String,
    clock: Arc<AtomicI64>,
}

/// An answer: status and JSON (null when it was none).
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    /// The first metric of the first row.
    pub(crate) fn value(&self) -> u64 {
        whole(&self.body["rows"][0]["metricValues"][0])
    }

    /// All rows as (dimension values, metric values).
    pub(crate) fn rows(&self) -> Vec<(Vec<String>, Vec<u64>)> {
        let row = |row: &Value| {
            let dimensions = row["dimensionValues"].as_array().cloned().unwrap_or_default();
            let dimensions = dimensions.iter().map(|value| value["value"].as_str().unwrap().into());
            let metrics = row["metricValues"].as_array().unwrap().iter().map(whole);
            (dimensions.collect(), metrics.collect())
        };
        self.body["rows"].as_array().map(|rows| rows.iter().map(row).collect()).unwrap_or_default()
    }
}

fn whole(value: &Value) -> u64 {
    let text = value["value"].as_str().expect("a metric value is a string");
    text.parse().unwrap_or_else(|_| panic!("{text} is not whole"))
}

/// One property in Berlin with 6,000 pageviews an hour.
pub(crate) fn shop() -> Property {
    Property::new(SHOP, "Shop").time_zone("Europe/Berlin").pageviews_per_hour(6_000.0)
}

pub(crate) fn world(property: Property) -> World {
    World::new(7).account(Account::new("104112001", "Example").property(property))
}

/// A client for plain HTTP on this machine.
pub(crate) fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_gzip().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(20)).build().unwrap()
}

impl Bench {
    pub(crate) async fn new(world: World) -> Self {
        Self::at(START, world).await
    }

    pub(crate) async fn at(start: &str, world: World) -> Self {
        let start: Timestamp = start.parse().unwrap();
        let clock = Arc::new(AtomicI64::new(start.as_second()));
        let hands = Arc::clone(&clock);
        let now = move || Timestamp::from_second(hands.load(Ordering::Relaxed)).unwrap();
        let simulator = Simulator::on_loopback(world, now).await.unwrap();
        let mut bench = Self { simulator, http: client(), token: String::new(), clock };
        bench.sign_in().await;
        bench
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.simulator.now()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url())
    }

    pub(crate) async fn sign_in(&mut self) {
        let answer = self.exchange(&self.jwt(|_, _| {})).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        self.token = answer.body["access_token"].as_str().unwrap().into();
    }

    /// A JWT as a client should make it, but for what `change` does to its header and claims.
    pub(crate) fn jwt(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let key: Value = serde_json::from_str(&self.simulator.key_file_json()).unwrap();
        let now = self.now().as_second();
        let mut header = json!({"alg": "RS256", "typ": "JWT", "kid": key["private_key_id"]});
        let mut claims = json!({"iss": key["client_email"], "scope": READONLY, "aud": key["token_uri"],
            "iat": now, "exp": now + 3600});
        change(&mut header, &mut claims);
        sign(&key, &header, &claims)
    }

    pub(crate) async fn exchange(&self, assertion: &str) -> Answer {
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        self.token_form(&[("grant_type", grant), ("assertion", assertion)]).await
    }

    pub(crate) async fn token_form(&self, form: &[(&str, &str)]) -> Answer {
        send(self.http.post(self.url("/token")).form(form)).await
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http
            .post(self.url(path))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.http.get(self.url(path)).bearer_auth(&self.token)).await
    }

    pub(crate) async fn report(&self, body: Value) -> Answer {
        send(self.post(&format!("/v1beta/properties/{SHOP}:runReport"), &body)).await
    }

    pub(crate) async fn realtime(&self, body: Value) -> Answer {
        send(self.post(&format!("/v1beta/properties/{SHOP}:runRealtimeReport"), &body)).await
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
}

pub(crate) fn sign(key: &Value, header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let pem = key["private_key"].as_str().unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(der).unwrap()).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// What should happen at once; a test that hangs says nothing.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it should have happened long ago")
}

/// Waits until something is so.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    soon(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
