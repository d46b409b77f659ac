//! Whether a property has events of its own, or repeats those of others.

/// The type of a property, and the value of the label `property_type`.
///
/// A sub-property repeats some events of one property, a roll-up property those of several
/// (google/analytics/admin/v1beta/resources.proto, `PropertyType`), so a sum over all properties would count them twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PropertyType {
    /// It has events of its own.
    Ordinary,
    /// It repeats some events of another property.
    Subproperty,
    /// It repeats the events of several other properties.
    Rollup,
}

impl PropertyType {
    /// Returns the type of this name in the Admin API; `None` if it is missing or unknown.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "PROPERTY_TYPE_ORDINARY" => Some(Self::Ordinary),
            "PROPERTY_TYPE_SUBPROPERTY" => Some(Self::Subproperty),
            "PROPERTY_TYPE_ROLLUP" => Some(Self::Rollup),
            _ => None,
        }
    }

    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Subproperty => "subproperty",
            Self::Rollup => "rollup",
        }
    }
}
