//! The visitors of a property: a fixed number of kinds of visitors, each with its page, place, device and source.
//!
//! The pageviews of every minute are split over the same kinds, so reports with any dimensions and filters agree exactly.

use super::{
    counts::{Counts, share},
    random::{Random, hash_text, mix},
};

/// The kinds of visitors of a property.
#[derive(Debug)]
pub(super) struct Audience {
    kinds: Vec<Kind>,
    /// The host name of the site.
    pub(super) host: String,
}

/// A kind of visitor.
#[derive(Debug)]
pub(super) struct Kind {
    /// The cumulative weight of this kind and of those before it, out of the last kind's value.
    passed: u64,
    pub(super) page: &'static Page,
    pub(super) place: &'static Place,
    pub(super) device: &'static Device,
    pub(super) source: &'static Source,
    pub(super) gender: &'static str,
    pub(super) age: &'static str,
}

/// The new or the returning visitors of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) kind: &'a Kind,
    pub(super) returning: bool,
}

#[derive(Debug)]
pub(super) struct Page {
    weight: u64,
    pub(super) path: &'static str,
    pub(super) title: &'static str,
}

#[derive(Debug)]
pub(super) struct Place {
    weight: u64,
    pub(super) country: &'static str,
    /// ISO 3166-1.
    pub(super) country_id: &'static str,
    pub(super) continent: &'static str,
    /// UN M.49.
    pub(super) continent_id: &'static str,
    pub(super) region: &'static str,
    pub(super) city: &'static str,
}

#[derive(Debug)]
pub(super) struct Device {
    weight: u64,
    pub(super) category: &'static str,
    pub(super) browser: &'static str,
    pub(super) system: &'static str,
}

#[derive(Debug)]
pub(super) struct Source {
    weight: u64,
    pub(super) channel: &'static str,
    pub(super) source: &'static str,
    pub(super) medium: &'static str,
    pub(super) campaign: &'static str,
}

impl Segment<'_> {
    /// Returns the value of a custom dimension for this kind of visitor; `None` if the dimension has no values.
    pub(super) fn own_value<'v>(&self, dimension: &str, values: &'v [String]) -> Option<&'v str> {
        let place = mix(hash_text(dimension), self.kind.passed).checked_rem(values.len() as u64)?;
        values.get(usize::try_from(place).ok()?).map(String::as_str)
    }
}

impl Audience {
    pub(super) fn new(seed: u64, property_id: &str) -> Self {
        let mut random = Random::new(seed, KINDS_KEY);
        let mut passed = 0;
        let kinds = (0..KINDS)
            .map(|_| {
                passed += 50 + random.below(100);
                Kind {
                    passed,
                    page: draw(PAGES, |page| page.weight, &mut random),
                    place: draw(PLACES, |place| place.weight, &mut random),
                    device: draw(DEVICES, |device| device.weight, &mut random),
                    source: draw(SOURCES, |source| source.weight, &mut random),
                    gender: draw::<&str>(GENDERS, |_| 1, &mut random),
                    age: draw::<&str>(AGES, |_| 1, &mut random),
                }
            })
            .collect();
        Self { kinds, host: format!("www.site-{property_id}.example") }
    }

    /// Returns the segments in the order of [`Audience::split`].
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.kinds.iter().flat_map(|kind| [false, true].map(|returning| Segment { kind, returning }))
    }

    /// Splits the counts of a minute over the segments and adds them to the sums.
    pub(super) fn split(&self, counts: Counts, phase: u64, sums: &mut [Counts]) {
        let all = self.kinds.last().map_or(0, |kind| kind.passed);
        let turn = mix(phase, KINDS_KEY);
        let mut from = 0;
        for (kind, sums) in self.kinds.iter().zip(sums.chunks_exact_mut(2)) {
            let to = share(counts.pageviews, kind.passed, all, turn);
            if from == to {
                continue;
            }
            let part = counts.part(from, to, turn);
            let new = newcomers(part);
            if let [new_sum, returning_sum] = sums {
                *new_sum += new;
                *returning_sum += part - new;
            }
            from = to;
        }
    }
}

/// Returns the part of `counts` that new visitors caused: their sessions, and the average counts of these sessions.
fn newcomers(counts: Counts) -> Counts {
    let Counts { sessions, new_users, .. } = counts;
    let of = |count| share(count, new_users, sessions, 0);
    Counts {
        pageviews: of(counts.pageviews),
        sessions: new_users,
        new_users,
        engaged_sessions: of(counts.engaged_sessions),
        engagements: of(counts.engagements),
        scrolls: of(counts.scrolls),
        key_events: of(counts.key_events),
        seconds: of(counts.seconds),
        revenue_cents: share(counts.revenue_cents, of(counts.key_events), counts.key_events, 0),
    }
}

fn draw<T>(from: &'static [T], weight: impl Fn(&T) -> u64, random: &mut Random) -> &'static T {
    let mut ball = random.below(from.iter().map(&weight).sum());
    for item in from {
        if ball < weight(item) {
            return item;
        }
        ball -= weight(item);
    }
    // Not reached: the random number is below the sum of the weights.
    from.first().unwrap_or_else(|| unreachable!("no table here is empty"))
}

/// Kinds of visitors per property: enough for reports of a few dozen rows.
const KINDS: usize = 64;

/// The new and the returning visitors of each kind.
pub(super) const SEGMENTS: usize = 2 * KINDS;

const KINDS_KEY: u64 = 0x6b69_6e64;

const fn page(weight: u64, path: &'static str, title: &'static str) -> Page {
    Page { weight, path, title }
}

const fn place(weight: u64, [country, country_id, continent, continent_id, region, city]: [&'static str; 6]) -> Place {
    Place { weight, country, country_id, continent, continent_id, region, city }
}

const fn device(weight: u64, category: &'static str, browser: &'static str, system: &'static str) -> Device {
    Device { weight, category, browser, system }
}

const fn source(weight: u64, [channel, source, medium, campaign]: [&'static str; 4]) -> Source {
    Source { weight, channel, source, medium, campaign }
}

const PAGES: &[Page] = &[
    page(30, "/", "Home"),
    page(14, "/products", "Products"),
    page(9, "/products/lamp", "Lamp \"Aurora\""),
    page(8, "/products/chair", "Chair"),
    page(6, "/cart", "Cart"),
    page(5, "/checkout", "Checkout"),
    page(4, "/checkout/thanks", "Thank you"),
    page(9, "/blog", "Blog"),
    page(6, "/blog/schöner-wohnen", "Schöner wohnen"),
    page(4, "/search", "Search | results"),
    page(3, "/about", "About us"),
    page(2, "/404", "(not set)"),
];

const PLACES: &[Place] = &[
    place(20, ["Germany", "DE", "Europe", "150", "Berlin", "Berlin"]),
    place(9, ["Germany", "DE", "Europe", "150", "Bavaria", "Munich"]),
    place(16, ["United States", "US", "Americas", "019", "New York", "New York"]),
    place(8, ["United States", "US", "Americas", "019", "Illinois", "Chicago"]),
    place(10, ["United Kingdom", "GB", "Europe", "150", "England", "London"]),
    place(9, ["France", "FR", "Europe", "150", "Ile-de-France", "Paris"]),
    place(6, ["Japan", "JP", "Asia", "142", "Tokyo", "Tokyo"]),
    place(6, ["Brazil", "BR", "Americas", "019", "State of Sao Paulo", "São Paulo"]),
    place(6, ["India", "IN", "Asia", "142", "Maharashtra", "Mumbai"]),
    place(4, ["Türkiye", "TR", "Asia", "142", "Istanbul", "Istanbul"]),
    place(3, ["Côte d’Ivoire", "CI", "Africa", "002", "(not set)", "(not set)"]),
    place(2, ["(not set)", "(not set)", "(not set)", "(not set)", "(not set)", "(not set)"]),
];

const DEVICES: &[Device] = &[
    device(22, "desktop", "Chrome", "Windows"),
    device(9, "desktop", "Safari", "Macintosh"),
    device(7, "desktop", "Firefox", "Linux"),
    device(6, "desktop", "Edge", "Windows"),
    device(28, "mobile", "Chrome", "Android"),
    device(22, "mobile", "Safari", "iOS"),
    device(4, "tablet", "Safari", "iOS"),
];

const SOURCES: &[Source] = &[
    source(36, ["Organic Search", "google", "organic", "(organic)"]),
    source(5, ["Organic Search", "bing", "organic", "(organic)"]),
    source(24, ["Direct", "(direct)", "(none)", "(direct)"]),
    source(12, ["Paid Search", "google", "cpc", "spring sale"]),
    source(8, ["Organic Social", "instagram.com", "referral", "(referral)"]),
    source(7, ["Referral", "news.example", "referral", "(referral)"]),
    source(6, ["Email", "newsletter", "email", "weekly letter"]),
    source(2, ["Unassigned", "(not set)", "(not set)", "(not set)"]),
];

const GENDERS: &[&str] = &["male", "female", "unknown"];

const AGES: &[&str] = &["18-24", "25-34", "35-44", "unknown"];
