//! What a property's events are: its own, or those of others once more.

/// The type of a property, and the value of the label `property_type`.
///
/// A sub-property shows a part of the events of one property, a roll-up property those of several
/// (google/analytics/admin/v1beta/resources.proto, `PropertyType`), so that a sum over all properties would count them twice.
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
    /// The type of this name in the Admin API; `None` where Google gives none, or one that is not known here.
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
