//! Metric values in Google's format: the shorter of two precisions, without a decimal point in whole numbers.

use super::random::real;

/// The value of a metric: text for the answer, and a number for sorting and filtering.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) number: f64,
}

impl Value {
    pub(super) fn whole(count: u64) -> Self {
        Self { text: count.to_string(), number: real(count) }
    }

    /// Returns the ratio; 0 if either number is 0.
    pub(super) fn ratio(part: u64, of: u64) -> Self {
        if part == 0 || of == 0 {
            return Self::whole(0);
        }
        let number = real(part) / real(of);
        Self { text: text(number), number }
    }
}

/// Formats with C's `%.15g` if that reproduces the number, else with `%.17g`.
fn text(number: f64) -> String {
    let short = general(number, 15);
    if short.parse() == Ok(number) { short } else { general(number, 17) }
}

/// Formats with C's `%.{digits}g`.
fn general(number: f64, digits: usize) -> String {
    let scientific = format!("{number:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let whole_digits = i32::try_from(digits).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= whole_digits {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    let decimals = usize::try_from(whole_digits - 1 - exponent).unwrap_or(0);
    String::from(trimmed(&format!("{number:.decimals$}")))
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        for (number, expected) in [
            (0.5, "0.5"),
            (42.0, "42"),
            (1200.0, "1200"),
            (77.77, "77.77"),
            (8.357438, "8.357438"),
            (1.0 / 3.0, "0.33333333333333331"),
            (0.1 + 0.2, "0.30000000000000004"),
            (257.0 / 264.0, "0.97348484848484851"),
            (0.000_01, "1e-05"),
            (0.000_1, "0.0001"),
            (1e15, "1e+15"),
            (123_456_789.25, "123456789.25"),
        ] {
            assert_eq!(text(number), expected);
        }
    }

    #[test]
    fn nothing_divided_by_nothing_is_zero() {
        assert_eq!(Value::ratio(0, 0).text, "0");
        assert_eq!(Value::ratio(3, 0).text, "0");
        assert_eq!(Value::ratio(4, 2).text, "2");
    }
}
