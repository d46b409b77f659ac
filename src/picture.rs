//! Draws the result of a replay as an SVG picture with one row per week.
//!
//! The colours are those of Okabe and Ito, which colour-blind people can distinguish (jfly.uni-koeln.de/color).

use std::ops::{Range, RangeInclusive};

use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, DateTime, Weekday},
};
use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use thiserror::Error as ThisError;

use ga4_drop_baseline::backtest::{Page, Point};

/// The picture could not be drawn.
#[derive(Debug, ThisError)]
#[error("the picture could not be drawn: {0}")]
pub(crate) struct PictureError(String);

/// Draws the traffic, the usual traffic and the pages of these dates as SVG.
///
/// # Errors
/// The drawing library fails; no such case is known.
pub(crate) fn svg(points: &[Point], pages: &[Page], dates: RangeInclusive<Date>) -> Result<String, PictureError> {
    let weeks = weeks(&dates);
    let height = HEADER + ROW * i32::try_from(weeks.len()).unwrap_or(i32::MAX / ROW) + FOOTER;
    let mut picture = String::new();
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    let root = SVGBackend::with_string(&mut picture, size).into_drawing_area();
    let drawing = Drawing { root, points, pages, top: top(points) };
    drawing.draw(&weeks, &dates).map_err(|error| PictureError(error.to_string()))?;
    drop(drawing);
    Ok(titled(&picture, &dates))
}

/// Returns the Mondays of all weeks that contain one of these dates.
fn weeks(dates: &RangeInclusive<Date>) -> Vec<Date> {
    let before = dates.start().weekday().since(Weekday::Monday);
    let monday = dates.start().saturating_sub(i64::from(before).days());
    monday.series(1.week()).take_while(|monday| monday <= dates.end()).collect()
}

/// Returns the highest count of the vertical axis: a campaign may exceed it, the usual traffic may not.
fn top(points: &[Point]) -> f64 {
    let highest = |of: fn(&Point) -> f64| points.iter().map(of).fold(1.0, f64::max);
    highest(|point| point.pageviews).min(1.4 * highest(|point| point.expected)) * 1.04
}

/// Adds a title for screen readers and for people who find the file later.
fn titled(picture: &str, dates: &RangeInclusive<Date>) -> String {
    let title = format!("<title>Pageviews, what was usual, and pages, {} to {}</title>", dates.start(), dates.end());
    picture.replacen(">\n", &format!(" role=\"img\">\n{title}\n"), 1)
}

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

type Row<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

struct Drawing<'a> {
    root: Canvas<'a>,
    points: &'a [Point],
    pages: &'a [Page],
    top: f64,
}

impl<'a> Drawing<'a> {
    fn draw(&self, weeks: &[Date], dates: &RangeInclusive<Date>) -> Drawn<'a> {
        self.root.fill(&WHITE)?;
        self.header(dates)?;
        for (place, monday) in (0..).zip(weeks) {
            let top = HEADER + ROW * place;
            self.week(*monday, top..top + ROW - BETWEEN)?;
        }
        self.root.present()
    }

    fn header(&self, dates: &RangeInclusive<Date>) -> Drawn<'a> {
        let title = format!("Pageviews in 30 minutes, {} to {}", dates.start(), dates.end());
        self.root.draw(&Text::new(title, (LEFT, 16), font(21, INK)))?;
        let mut x = LEFT;
        let y = 52;
        for (name, kind) in [
            ("traffic", Swatch::Line(INK)),
            ("usual", Swatch::Line(BLUE)),
            ("down to the lower bound", Swatch::Area(BAND)),
            ("somebody is paged", Swatch::Area(PAGED)),
        ] {
            match kind {
                Swatch::Line(colour) => {
                    self.root.draw(&PathElement::new(vec![(x, y), (x + 22, y)], colour.stroke_width(2)))?;
                }
                Swatch::Area(colour) => {
                    self.root.draw(&Rectangle::new([(x, y - 6), (x + 22, y + 6)], colour.filled()))?;
                }
            }
            let style = font(16, INK).pos(Pos::new(HPos::Left, VPos::Center));
            self.root.draw(&Text::new(name, (x + 29, y), style))?;
            x += 60 + 7 * i32::try_from(name.len()).unwrap_or_default();
        }
        Ok(())
    }

    /// Draws the row of the week that starts on this Monday.
    fn week(&self, monday: Date, pixels: Range<i32>) -> Drawn<'a> {
        let start = monday.at(0, 0, 0, 0);
        // Pixels count downwards from the top.
        let pixels = (LEFT..WIDTH - RIGHT, pixels.end..pixels.start);
        let coordinates = Cartesian2d::new(0.0..HOURS, 0.0..self.top, pixels);
        let row: Row<'a> = self.root.apply_coord_spec(coordinates);
        self.axes(&row, monday)?;
        let points: Vec<Hour> = self.points.iter().filter_map(|point| Hour::new(point, start, self.top)).collect();
        let unbroken = points.chunk_by(|a, b| b.at - a.at < 0.6);
        for points in unbroken.clone() {
            band(&row, points)?;
        }
        for page in self.pages {
            paged(&row, page, start, self.top)?;
        }
        for points in unbroken {
            line(&row, points, |point| point.expected, BLUE.stroke_width(1))?;
            line(&row, points, |point| point.pageviews, INK.stroke_width(1))?;
        }
        Ok(())
    }

    fn axes(&self, row: &Row<'a>, monday: Date) -> Drawn<'a> {
        let step = step(self.top);
        for count in (0..).map(|steps| f64::from(steps) * step).take_while(|count| *count <= self.top) {
            row.draw(&PathElement::new(vec![(0.0, count), (HOURS, count)], GRID))?;
            let style = font(14, QUIET).pos(Pos::new(HPos::Right, VPos::Center));
            row.draw(&(EmptyElement::at((0.0, count)) + Text::new(grouped(count), (-7, 0), style)))?;
        }
        for (days, date) in (0_i32..).zip(monday.series(1.day()).take(7)) {
            let hours = f64::from(days) * 24.0;
            row.draw(&PathElement::new(vec![(hours, 0.0), (hours, self.top)], GRID))?;
            let form = if days == 0 { "%a %-d %b %Y" } else { "%a %-d %b" };
            let label = Text::new(date.strftime(form).to_string(), (3, 5), font(14, QUIET));
            row.draw(&(EmptyElement::at((hours, 0.0)) + label))?;
        }
        Ok(())
    }
}

enum Swatch {
    Line(RGBColor),
    Area(RGBAColor),
}

/// A point in the coordinates of a week.
#[derive(Clone, Copy)]
struct Hour {
    at: f64,
    pageviews: f64,
    expected: f64,
    low: f64,
}

impl Hour {
    /// Returns the point, or `None` if it belongs to another week.
    fn new(point: &Point, start: DateTime, top: f64) -> Option<Self> {
        let at = hours(point.at, start);
        // The first instant of a week is the end of the week before.
        (at > 0.0 && at <= HOURS).then_some(Self {
            at,
            pageviews: point.pageviews.min(top),
            expected: point.expected.min(top),
            low: point.low,
        })
    }
}

fn hours(time: DateTime, start: DateTime) -> f64 {
    time.duration_since(start).as_secs_f64() / SignedDuration::from_hours(1).as_secs_f64()
}

fn band<'a>(row: &Row<'a>, points: &[Hour]) -> Drawn<'a> {
    let upper = points.iter().map(|point| (point.at, point.expected));
    let lower = points.iter().rev().map(|point| (point.at, point.low));
    row.draw(&Polygon::new(upper.chain(lower).collect::<Vec<_>>(), BAND))
}

fn line<'a>(row: &Row<'a>, points: &[Hour], value: impl Fn(&Hour) -> f64, style: ShapeStyle) -> Drawn<'a> {
    row.draw(&PathElement::new(points.iter().map(|point| (point.at, value(point))).collect::<Vec<_>>(), style))
}

fn paged<'a>(row: &Row<'a>, page: &Page, start: DateTime, top: f64) -> Drawn<'a> {
    let (from, until) = (hours(page.at, start), page.until.map_or(HOURS, |until| hours(until, start)));
    if from >= HOURS || until <= 0.0 {
        return Ok(());
    }
    // A page of a quarter of an hour must also be visible.
    let (from, until) = (from.max(0.0), until.max(from + LEAST_WIDTH).min(HOURS));
    row.draw(&Rectangle::new([(from, 0.0), (until, top)], PAGED.filled()))?;
    row.draw(&PathElement::new(vec![(from, top), (until, top)], VERMILION.stroke_width(3)))
}

/// Returns a round step that divides the height into two to five parts.
fn step(top: f64) -> f64 {
    let decade = 10_f64.powf((top / 2.0).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|times| times * decade).find(|step| *step <= top / 2.0).unwrap_or(decade)
}

/// Formats a number as `1,200`.
fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let groups: Vec<String> =
        digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(",")
}

fn font(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// Sizes are in pixels.
const WIDTH: i32 = 1280;

const LEFT: i32 = 64;

const RIGHT: i32 = 20;

const HEADER: i32 = 84;

const FOOTER: i32 = 10;

const ROW: i32 = 124;

const BETWEEN: i32 = 30;

const HOURS: f64 = 168.0;

/// The smallest width of a page, in hours.
const LEAST_WIDTH: f64 = 0.7;

const INK: RGBColor = RGBColor(34, 34, 34);

const QUIET: RGBColor = RGBColor(90, 90, 90);

const GRID: RGBColor = RGBColor(228, 228, 228);

const BLUE: RGBColor = RGBColor(0, 114, 178);

const BAND: RGBAColor = RGBAColor(86, 180, 233, 0.28);

const VERMILION: RGBColor = RGBColor(213, 94, 0);

const PAGED: RGBAColor = RGBAColor(213, 94, 0, 0.22);

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use ga4_drop_baseline::TrafficDrop;

    #[test]
    fn every_week_that_has_a_date_has_a_row() {
        let mondays = weeks(&(date(2026, 1, 4)..=date(2026, 1, 12)));
        assert_eq!(mondays, [date(2025, 12, 29), date(2026, 1, 5), date(2026, 1, 12)]);
    }

    #[test]
    fn counts_on_the_axis_are_round() {
        for (top, expected) in [(1.04, 0.5), (9.0, 2.0), (70.0, 20.0), (780.0, 200.0), (123_456.0, 50_000.0)] {
            assert!((step(top) - expected).abs() < 1e-9, "{top}: {}", step(top));
        }
        assert_eq!([grouped(0.0), grouped(999.0), grouped(1_234_567.0)], ["0", "999", "1,234,567"]);
    }

    #[test]
    fn a_campaign_may_leave_the_picture() {
        let point = |pageviews| Point { at: date(2026, 1, 5).at(1, 0, 0, 0), pageviews, expected: 100.0, low: 40.0 };
        assert!((top(&[point(120.0)]) - 124.8).abs() < 1e-9);
        assert!((top(&[point(9000.0)]) - 145.6).abs() < 1e-9);
    }

    #[test]
    fn a_page_over_the_end_of_a_week_is_drawn_in_both() {
        let deepest = TrafficDrop { depth: 1.0, window: None };
        let (at, until) = (date(2026, 1, 4).at(22, 0, 0, 0), date(2026, 1, 5).at(3, 0, 0, 0));
        let page = Page { at, until: Some(until), is_withdrawn: false, deepest };
        let drawn = svg(&[], &[page], date(2026, 1, 4)..=date(2026, 1, 6)).unwrap();
        // One area and its edge in each of the two rows, and the legend.
        assert_eq!(drawn.matches("#D55E00").count(), 5);
    }
}
