//! The content of a dimension's column: a part of the time, a trait of the visitors, the event, or a constant.

use super::times::{self, TimePart};

/// The source of a dimension's values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Column {
    Time(TimePart),
    Visitor(Trait),
    EventName,
    IsKeyEvent,
    HostName,
    StreamId,
    StreamName,
    AppVersion,
    /// The custom values of the dimension.
    Own,
    /// The same value in every row; usually `(not set)`, because the simulated sites have no such data.
    Fixed(&'static str),
}

/// A trait in which the visitors of a site differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trait {
    PagePath,
    PageTitle,
    FullPageUrl,
    PageLocation,
    Country,
    CountryId,
    Continent,
    ContinentId,
    Region,
    City,
    DeviceCategory,
    PlatformDeviceCategory,
    Browser,
    OperatingSystem,
    Channel,
    Source,
    Medium,
    SourceMedium,
    CampaignName,
    ItemName,
    Gender,
    AgeBracket,
    NewVsReturning,
}

/// Returns the column of a dimension by its name.
pub(super) fn of(name: &str) -> Column {
    if let Some(part) = times::part(name) {
        return Column::Time(part);
    }
    let entry = COLUMNS.iter().find(|(other, _)| *other == name);
    entry.map_or(Column::Fixed(NOT_SET), |(_, column)| *column)
}

/// Google's text for a missing value.
pub(super) const NOT_SET: &str = "(not set)";

#[rustfmt::skip] // a table
const COLUMNS: &[(&str, Column)] = &[
    ("appVersion", Column::AppVersion),
    ("browser", Column::Visitor(Trait::Browser)),
    ("city", Column::Visitor(Trait::City)),
    ("continent", Column::Visitor(Trait::Continent)),
    ("continentId", Column::Visitor(Trait::ContinentId)),
    ("country", Column::Visitor(Trait::Country)),
    ("countryId", Column::Visitor(Trait::CountryId)),
    ("deviceCategory", Column::Visitor(Trait::DeviceCategory)),
    ("eventName", Column::EventName),
    ("firstUserCampaignName", Column::Visitor(Trait::CampaignName)),
    ("firstUserDefaultChannelGroup", Column::Visitor(Trait::Channel)),
    ("firstUserMedium", Column::Visitor(Trait::Medium)),
    ("firstUserPrimaryChannelGroup", Column::Visitor(Trait::Channel)),
    ("firstUserSource", Column::Visitor(Trait::Source)),
    ("firstUserSourceMedium", Column::Visitor(Trait::SourceMedium)),
    ("fullPageUrl", Column::Visitor(Trait::FullPageUrl)),
    ("hostName", Column::HostName),
    ("isKeyEvent", Column::IsKeyEvent),
    ("itemName", Column::Visitor(Trait::ItemName)),
    ("landingPage", Column::Visitor(Trait::PagePath)),
    ("landingPagePlusQueryString", Column::Visitor(Trait::PagePath)),
    ("language", Column::Fixed("English")),
    ("languageCode", Column::Fixed("en-us")),
    ("newVsReturning", Column::Visitor(Trait::NewVsReturning)),
    ("operatingSystem", Column::Visitor(Trait::OperatingSystem)),
    ("pageLocation", Column::Visitor(Trait::PageLocation)),
    ("pagePath", Column::Visitor(Trait::PagePath)),
    ("pagePathPlusQueryString", Column::Visitor(Trait::PagePath)),
    ("pageTitle", Column::Visitor(Trait::PageTitle)),
    ("platform", Column::Fixed("web")),
    ("platformDeviceCategory", Column::Visitor(Trait::PlatformDeviceCategory)),
    ("region", Column::Visitor(Trait::Region)),
    ("screenResolution", Column::Fixed("1920x1080")),
    ("sessionCampaignName", Column::Visitor(Trait::CampaignName)),
    ("sessionDefaultChannelGroup", Column::Visitor(Trait::Channel)),
    ("sessionMedium", Column::Visitor(Trait::Medium)),
    ("sessionPrimaryChannelGroup", Column::Visitor(Trait::Channel)),
    ("sessionSource", Column::Visitor(Trait::Source)),
    ("sessionSourceMedium", Column::Visitor(Trait::SourceMedium)),
    ("streamId", Column::StreamId),
    ("streamName", Column::StreamName),
    ("unifiedPagePathScreen", Column::Visitor(Trait::PagePath)),
    ("unifiedPageScreen", Column::Visitor(Trait::PagePath)),
    ("unifiedScreenClass", Column::Visitor(Trait::PageTitle)),
    ("unifiedScreenName", Column::Visitor(Trait::PageTitle)),
    ("userAgeBracket", Column::Visitor(Trait::AgeBracket)),
    ("userGender", Column::Visitor(Trait::Gender)),
];

#[cfg(test)]
mod tests {
    use super::{
        super::fields::{Category, Fields},
        *,
    };

    #[test]
    fn every_column_is_a_dimensions() {
        for (name, _) in COLUMNS {
            assert!(Fields::standard(Category::Core).dimension(name).is_some(), "{name}");
        }
        assert_eq!(of("itemBrand"), Column::Fixed(NOT_SET));
    }
}
