//! The share of a bucket that this exporter may spend.

use std::{fmt, str::FromStr};

/// A fraction of every token bucket, 1 % to 100 %: the buckets belong to the property, and others draw on them too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    percent: f64,
}

impl Share {
    /// The share of a bucket of this size, in tokens.
    pub fn of(self, size: f64) -> f64 {
        size * self.percent / 100.0
    }
}

impl Share {
    /// What one command may spend, where nothing is configured.
    pub fn of_commands() -> Self {
        Self { percent: 10.0 }
    }
}

impl Default for Share {
    fn default() -> Self {
        Self { percent: 25.0 }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_number = |text: &str| {
            text.split_once('.').map_or_else(|| digits(text), |(left, right)| digits(left) && digits(right))
        };
        let Some(number) = text.strip_suffix('%').map(str::trim_end).filter(|number| is_number(number)) else {
            return Err(format!("`{text}` is no share; write a percentage such as `25%`"));
        };
        match number.parse() {
            Ok(percent) if (LEAST..=MOST).contains(&percent) => Ok(Self { percent }),
            _ => Err(format!("`{text}` is out of range; give a share from {LEAST}% to {MOST}%")),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent)
    }
}

const LEAST: f64 = 1.0;

const MOST: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_written_alike() {
        for text in ["25%", "1%", "100%", "2.5%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
        assert_eq!("25 %".parse::<Share>().unwrap(), Share::default());
        assert_eq!(Share::default().of(14_000.0).to_bits(), 3_500.0_f64.to_bits());
        for (text, expected) in [
            ("25", "`25` is no share; write a percentage such as `25%`"),
            ("0.25", "is no share"),
            ("%", "is no share"),
            ("-5%", "is no share"),
            ("1e1%", "is no share"),
            ("0%", "`0%` is out of range; give a share from 1% to 100%"),
            ("101%", "out of range"),
        ] {
            let wrong = text.parse::<Share>().unwrap_err();
            assert!(wrong.contains(expected), "{text}: {wrong}");
        }
    }
}
