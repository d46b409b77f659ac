//! The events and the time zones of a file, each with its properties.
//!
//! Knows the nesting of components, and which events are still clear if the nesting is wrong. Refuses to know the
//! meaning of properties. Invariant: at most [`MAX_DEPTH`] components are open at once.

use super::{
    Mistake, Mistakes, elided, encoding,
    property::{self, Property},
};

/// The components of a file that affect days.
#[derive(Debug, Default)]
pub(super) struct Components {
    pub(super) events: Vec<Component>,
    pub(super) zones: Vec<Component>,
    /// The `X-WR-TIMEZONE` of each calendar, if it has one.
    pub(super) calendar_zones: Vec<Option<Property>>,
}

/// A component and its properties. Those of a zone include its parts, each of which starts with its `BEGIN`.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) line: usize,
    /// The index of the calendar that contains the component.
    pub(super) calendar: usize,
    pub(super) properties: Vec<Property>,
}

impl Components {
    /// Parses the components in the bytes of a file.
    pub(super) fn new(bytes: &[u8], mistakes: &mut Mistakes) -> Self {
        let bytes = encoding::utf8(bytes);
        let mut walk =
            Walk { found: Self::default(), open: Vec::new(), is_left_out: false, is_outside: false, mistakes };
        for property in property::properties(&bytes) {
            match property {
                Ok(property) => walk.read(property),
                // Mistakes outside of calendars are reported once, not line by line.
                Err(_) if walk.open.is_empty() => walk.outside(),
                Err(mistake) => walk.mistakes.push(mistake),
            }
        }
        walk.finish()
    }
}

/// The state of parsing a file.
struct Walk<'m> {
    found: Components,
    /// The open components, outermost first.
    open: Vec<Open>,
    /// Whether the calendar uses an unsupported calendar scale.
    is_left_out: bool,
    /// Whether the file has content outside of calendars.
    is_outside: bool,
    mistakes: &'m mut Mistakes,
}

struct Open {
    line: usize,
    name: String,
}

impl Walk<'_> {
    fn read(&mut self, property: Property) {
        match property.name.as_str() {
            "BEGIN" => self.begin(property),
            "END" => self.end(&property),
            _ => self.keep(property),
        }
    }

    fn begin(&mut self, property: Property) {
        let name = property.value.clone();
        if name == CALENDAR {
            self.close_to(0);
            self.found.calendar_zones.push(None);
            self.is_left_out = false;
        } else if WITHIN_CALENDARS.contains(&name.as_str()) {
            if self.open.is_empty() {
                self.outside();
                self.found.calendar_zones.push(None);
                self.open.push(Open { line: property.line, name: CALENDAR.to_owned() });
            }
            self.close_to(1);
        } else if self.open.len() >= MAX_DEPTH {
            let wrong = format!("`BEGIN:{}` is too deep in others and is not read; remove it", elided(&name));
            return self.mistakes.push(Mistake::new(property.line, wrong));
        } else if self.open.is_empty() {
            return self.outside();
        }
        self.open.push(Open { line: property.line, name: name.clone() });
        let calendar = self.found.calendar_zones.len().saturating_sub(1);
        let component = |line| Component { line, calendar, properties: Vec::new() };
        match name.as_str() {
            EVENT if !self.is_left_out => self.found.events.push(component(property.line)),
            ZONE => self.found.zones.push(component(property.line)),
            _ => self.keep(property),
        }
    }

    fn end(&mut self, property: &Property) {
        match self.open.iter().rposition(|open| open.name == property.value) {
            Some(index) => {
                self.close_to(index + 1);
                self.open.pop();
            }
            None if self.open.is_empty() => self.outside(),
            None => {
                let wrong = format!("`END:{}` ends nothing that has begun; remove it", elided(&property.value));
                self.mistakes.push(Mistake::new(property.line, wrong));
            }
        }
    }

    /// Closes all components below this depth, whose ends are missing.
    fn close_to(&mut self, depth: usize) {
        for open in self.open.drain(depth.min(self.open.len())..).rev() {
            let name = elided(&open.name);
            self.mistakes.push(Mistake::new(open.line, format!("`{name}` has no end; add `END:{name}`")));
        }
    }

    fn keep(&mut self, property: Property) {
        let mut names = self.open.iter().map(|open| open.name.as_str());
        match (names.next(), names.next(), names.next(), property.name.as_str()) {
            (None, ..) => self.outside(),
            (Some(_), None, None, "CALSCALE")
                if !["", "GREGORIAN"].contains(&property.value.to_ascii_uppercase().as_str()) =>
            {
                self.is_left_out = true;
                let wrong = format!(
                    "the calendar `{}` is not known, only `GREGORIAN` is; its events are left out",
                    elided(&property.value)
                );
                self.mistakes.push(Mistake::new(property.line, wrong));
            }
            (Some(_), None, None, "X-WR-TIMEZONE") if !property.value.trim().is_empty() => {
                if let Some(zone) = self.found.calendar_zones.last_mut() {
                    *zone = Some(property);
                }
            }
            (Some(_), Some(EVENT), None, _) if !self.is_left_out => {
                if let Some(event) = self.found.events.last_mut() {
                    event.properties.push(property);
                }
            }
            (Some(_), Some(ZONE), ..) => {
                if let Some(zone) = self.found.zones.last_mut() {
                    zone.properties.push(property);
                }
            }
            // Other components are not events and do not affect days.
            _ => {}
        }
    }

    fn outside(&mut self) {
        self.is_outside = true;
    }

    fn finish(mut self) -> Components {
        if self.found.calendar_zones.is_empty() {
            // The file is empty, as after a failed download, or it is a web page.
            self.mistakes.push(Mistake::new(1, NO_CALENDAR));
        } else if self.is_outside {
            self.mistakes.push(Mistake::new(1, OUTSIDE));
        }
        let was_cut_off = self.open.iter().any(|open| open.name == EVENT);
        if let Some(open) = self.open.last() {
            let wrong = format!("`{}` has no end; the file may be cut off: fetch it again", elided(&open.name));
            self.mistakes.push(Mistake::new(open.line, wrong));
        }
        if was_cut_off {
            // The last line may be incomplete, and a missing line might have cancelled the event.
            self.found.events.pop();
        }
        self.found
    }
}

const CALENDAR: &str = "VCALENDAR";

const EVENT: &str = "VEVENT";

const ZONE: &str = "VTIMEZONE";

/// Components that occur directly in a calendar and not in other components.
const WITHIN_CALENDARS: [&str; 6] = [EVENT, ZONE, "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"];

/// The deepest common nesting is three: a calendar, an event and an alarm.
const MAX_DEPTH: usize = 8;

const NO_CALENDAR: &str =
    "this is not an iCalendar file, which begins with `BEGIN:VCALENDAR`; give a file that was exported from a calendar";

const OUTSIDE: &str = "the file has something before `BEGIN:VCALENDAR` or after `END:VCALENDAR`; remove it";
