//! Distributes the properties over several processes.
//!
//! Knows the number of this shard and of all shards. Refuses to know the properties: the shard of a property follows
//! from its id alone, so that processes agree without communication. Invariants: each property belongs to exactly one
//! shard; when the number of shards changes by one, only the properties of the added or removed shard move.

use std::{fmt, num::NonZeroU16, str::FromStr};

use thiserror::Error as ThisError;

use crate::names::PropertyId;

/// A shard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shard {
    index: u16,
    count: NonZeroU16,
}

impl Shard {
    /// Its number, counted from 0.
    pub fn index(self) -> u16 {
        self.index
    }

    /// The number of all shards.
    pub fn count(self) -> u16 {
        self.count.get()
    }

    /// Whether a property belongs to this shard: the shard with the highest weight for it (rendezvous hashing, Thaler and
    /// Ravishankar 1998).
    pub fn owns(self, property: PropertyId) -> bool {
        let weight = |shard: u16| mixed(mixed(property.as_u64()) ^ u64::from(shard));
        let heaviest = (0..self.count()).max_by_key(|shard| weight(*shard));
        heaviest == Some(self.index)
    }
}

impl Default for Shard {
    /// The only shard.
    fn default() -> Self {
        Self { index: 0, count: NonZeroU16::MIN }
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ShardError::Malformed(text.to_owned());
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|_| digits)
        };
        let (index, count) = text.split_once('/').ok_or_else(malformed)?;
        let (index, count) = number(index).zip(number(count)).ok_or_else(malformed)?;
        let count = NonZeroU16::new(count).filter(|count| count.get() <= MOST).ok_or_else(malformed)?;
        if index < count.get() {
            Ok(Self { index, count })
        } else {
            Err(ShardError::Beyond { text: text.to_owned(), last: count.get() - 1 })
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Why a text is not a shard.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum ShardError {
    /// Not two numbers.
    #[error("`{0}` is no shard; write which one it is, counted from 0, and how many there are: `0/3`, `1/3`, `2/3`")]
    Malformed(String),
    /// The number is too high.
    #[error("`{text}` is no shard, since they are counted from 0: the last is `{last}/{}`", last + 1)]
    Beyond {
        /// The text.
        text: String,
        /// The highest number that there is.
        last: u16,
    },
}

/// The last step of splitmix64 (Steele, Lea and Flood 2014): every bit of the input changes about half of the bits of the
/// result. It must never change, since shards of different versions run side by side.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// More shards than anybody needs; each is tried for every property.
const MOST: u16 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> PropertyId {
        number.to_string().parse().unwrap()
    }

    fn shards(count: u16) -> Vec<Shard> {
        (0..count).map(|index| format!("{index}/{count}").parse().unwrap()).collect()
    }

    fn owner(property: PropertyId, count: u16) -> u16 {
        let owners: Vec<u16> = shards(count).iter().filter(|s| s.owns(property)).map(|s| s.index()).collect();
        assert_eq!(owners.len(), 1, "{property} has one owner of {count}: {owners:?}");
        owners[0]
    }

    #[test]
    fn every_property_has_one_owner_and_shards_are_even() {
        for count in [1, 2, 3, 7, 16] {
            let mut owned = vec![0; usize::from(count)];
            for number in 0..4000 {
                owned[usize::from(owner(id(300_000_000 + 17 * number), count))] += 1;
            }
            let fair = 4000 / i32::from(count);
            assert!(owned.iter().all(|owned| (owned - fair).abs() <= fair / 5), "{count}: {owned:?}");
        }
    }

    #[test]
    fn one_shard_more_moves_only_what_it_takes() {
        let (mut moved, all) = (0, 4000);
        for number in 1..=all {
            let (before, after) = (owner(id(number), 4), owner(id(number), 5));
            assert!(after == before || after == 4, "{number} goes from {before} to {after}");
            moved += u64::from(after != before);
        }
        assert!((all / 6..all / 4).contains(&moved), "{moved}");
    }

    #[test]
    fn owners_are_the_same_in_every_version() {
        let owners: Vec<u16> = [1, 123_456_789, 213_025_502, 999_999_999].map(|number| owner(id(number), 3)).into();
        assert_eq!(owners, OWNERS);
    }

    /// Of all versions: a change here would make properties be polled twice, or not at all, during an update.
    const OWNERS: [u16; 4] = [1, 1, 2, 1];

    #[test]
    fn shards_are_read_and_written_alike_and_other_texts_refused() {
        for text in ["0/1", "2/3", "999/1000"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        assert_eq!(Shard::default().to_string(), "0/1");
        for text in ["", "1", "1/", "/3", "a/3", "-1/3", "+0/3", "0/0", "0/1001", "0/99999", "0/3/3", "0 /3"] {
            let message = text.parse::<Shard>().unwrap_err().to_string();
            assert!(message.contains(&format!("`{text}`")) && message.contains("`0/3`"), "{text}: {message}");
        }
        let message = "3/3".parse::<Shard>().unwrap_err().to_string();
        assert_eq!(message, "`3/3` is no shard, since they are counted from 0: the last is `2/3`");
    }
}
