//! The chart of a property's last hours: its traffic drawn over the usual traffic.

use std::fmt::Write;

use maud::{Markup, html};

use super::words;
use ga4_drop_baseline::{Assessment, Slice};

/// Renders the chart with its caption, if there is data to draw.
pub(super) fn chart(assessment: &Assessment) -> Markup {
    let course = &assessment.course;
    let highest = course.iter().flat_map(|slice| [slice.pageviews.unwrap_or_default(), slice.expected]);
    let highest = highest.fold(1.0, f32::max);
    let counted = line(course, highest, |slice| slice.pageviews);
    let usual = line(course, highest, |slice| Some(slice.expected));
    html! {
        @if !course.is_empty() {
            figure {
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img"
                    aria-label=(described(course)) {
                    path.area d=(area(course, highest)) {}
                    path.usual d=(usual) {}
                    path.now d=(counted) {}
                }
                div.axis aria-hidden="true" { span { "6 hours ago" } span { "dashed: usual" } span { "now" } }
                @if let Some(count) = assessment.windows.iter().find(|count| count.window.name == "30m") {
                    figcaption {
                        "Last 30 minutes: " strong { (words::number(count.pageviews)) } " pageviews, usual: "
                        (words::number(count.expected))
                    }
                }
            }
        }
    }
}

/// Describes the chart in words.
fn described(course: &[Slice]) -> String {
    let seen: f32 = course.iter().filter_map(|slice| slice.pageviews).sum();
    let usual: f32 = course.iter().filter(|slice| slice.pageviews.is_some()).map(|slice| slice.expected).sum();
    format!(
        "Pageviews of the last 6 hours: {} counted, {} usual in the same time",
        words::number(seen.into()),
        words::number(usual.into())
    )
}

/// Returns an SVG path through the values, interrupted where values are missing.
fn line(course: &[Slice], highest: f32, value: impl Fn(&Slice) -> Option<f32>) -> String {
    let mut path = String::new();
    let mut is_drawing = false;
    for (place, slice) in (0_u16..).zip(course) {
        let Some(value) = value(slice) else {
            is_drawing = false;
            continue;
        };
        let (x, y) = point(place, value, course.len(), highest);
        // Writing to a String cannot fail.
        let _ = write!(path, "{}{x:.1} {y:.1}", if is_drawing { "L" } else { "M" });
        is_drawing = true;
    }
    path
}

/// Returns an SVG path of the area below the counts, one part for each pair of adjacent values.
fn area(course: &[Slice], highest: f32) -> String {
    let mut path = String::new();
    for (place, slice) in (0_u16..).zip(course) {
        let next = course.get(usize::from(place) + 1);
        let Some((from, to)) = slice.pageviews.zip(next.and_then(|next| next.pageviews)) else { continue };
        let ((left, above_left), (right, above_right)) =
            (point(place, from, course.len(), highest), point(place + 1, to, course.len(), highest));
        let _ = write!(
            path,
            "M{left:.1} {HEIGHT}L{left:.1} {above_left:.1}L{right:.1} {above_right:.1}L{right:.1} {HEIGHT}Z"
        );
    }
    path
}

fn point(place: u16, value: f32, places: usize, highest: f32) -> (f32, f32) {
    let last = u16::try_from(places.saturating_sub(1)).unwrap_or(u16::MAX).max(1);
    let share = value / highest;
    (f32::from(place) / f32::from(last) * WIDTH, HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN))
}

const WIDTH: f32 = 350.0;

const HEIGHT: f32 = 72.0;

/// Space above the highest value and below 0, so that lines are not cut off.
const MARGIN: f32 = 3.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(pageviews: Option<f32>) -> Slice {
        Slice { pageviews, expected: 10.0 }
    }

    #[test]
    fn lines_are_broken_where_nothing_was_seen() {
        let course = [slice(Some(0.0)), slice(Some(20.0)), slice(None), slice(Some(10.0)), slice(Some(10.0))];
        assert_eq!(line(&course, 20.0, |slice| slice.pageviews), "M0.0 69.0L87.5 3.0M262.5 36.0L350.0 36.0");
        assert_eq!(area(&course, 20.0), "M0.0 72L0.0 69.0L87.5 3.0L87.5 72ZM262.5 72L262.5 36.0L350.0 36.0L350.0 72Z");
        assert_eq!(described(&course), "Pageviews of the last 6 hours: 40 counted, 40 usual in the same time");
    }

    #[test]
    fn without_anything_to_draw_there_is_no_chart() {
        assert_eq!(chart(&Assessment::default()).into_string(), "");
    }
}
