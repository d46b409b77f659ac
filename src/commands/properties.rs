//! `properties`: prints the properties that the credentials can see.

use std::{
    borrow::Cow,
    io::{self, ErrorKind, Write},
};

use super::{
    CommandError,
    google::{Google, Surroundings},
    screen::{Align, Screen},
    setup::Setup,
};
use crate::{
    cli::{PropertiesFlags, PropertiesOutput},
    ga::{ListedProperty, Listing},
};
use ga4_exporter_core::{names::PropertyType, shown};

/// Lists the properties and prints them.
///
/// # Errors
/// The properties cannot be listed.
pub async fn run(
    flags: &PropertiesFlags,
    surroundings: &Surroundings,
    out: &mut (dyn Write + Send),
    screen: Screen,
) -> Result<(), CommandError> {
    let setup = Setup::load(&flags.setup).await?;
    setup.warn(surroundings.now(), &mut io::stderr());
    let google = Google::reach(&setup.access, setup.credentials_file.as_deref(), surroundings).await?;
    let most = setup.loaded.config.most_properties;
    let listing = google.client.listed_properties(most).await.map_err(|error| google.listing_failure(&error))?;
    let printed = match flags.output {
        PropertiesOutput::Table => table(&listing, screen, out),
        PropertiesOutput::Yaml => out.write_all(yaml(&listing).as_bytes()),
        PropertiesOutput::Json => out.write_all(json(&listing).as_bytes()),
    };
    match printed.and_then(|()| out.flush()) {
        // If the pipe is closed, its reader has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(CommandError::Output(error)),
        Ok(()) | Err(_) => {}
    }
    verdict(&listing, google.client.account().as_deref())
}

fn verdict(listing: &Listing, account: Option<&str>) -> Result<(), CommandError> {
    if !listing.is_complete() {
        let what = listing.unreadable.join("; ");
        return Err(CommandError::Google(format!("{} entries of the listing cannot be read: {what}", listing.hidden)));
    }
    if listing.properties.is_empty() {
        let account = account.unwrap_or("the account that signs in");
        return Err(CommandError::Google(format!(
            "{account} sees no property; add it as Viewer of a property in Google Analytics under Admin > Property access \
             management"
        )));
    }
    Ok(())
}

fn table(listing: &Listing, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    if listing.properties.is_empty() {
        return Ok(());
    }
    let header = ["property_id", "property_name", "property_type", "account_id", "account_name"];
    let header: Vec<_> = header.iter().map(|name| ((*name).to_owned(), Align::Left)).collect();
    let rows = listing.properties.iter().map(|property| {
        vec![
            Cow::Owned(property.id.to_string()),
            Cow::Borrowed(property.name.as_str()),
            Cow::Borrowed(type_of(property)),
            Cow::Borrowed(property.account_id.as_str()),
            Cow::Borrowed(property.account_name.as_str()),
        ]
    });
    screen.print_table(&header, rows, out)
}

/// Formats the properties as the configuration expects them, with names as comments, since names change and ids do not.
fn yaml(listing: &Listing) -> String {
    let mut text = if listing.properties.is_empty() { "properties: []\n" } else { "properties:\n" }.to_owned();
    let mut account = None;
    for property in &listing.properties {
        if account != Some((&property.account_id, &property.account_name)) {
            account = Some((&property.account_id, &property.account_name));
            text.push_str(&format!("  # {} ({})\n", comment(&property.account_name), property.account_id));
        }
        let type_of = type_of(property);
        let note = if matches!(type_of, "" | "ordinary") { String::new() } else { format!(", {type_of}") };
        text.push_str(&format!("  - id: {} # {}{note}\n", property.id, comment(&property.name)));
    }
    text
}

/// Makes a name safe for a comment: it cannot end the line.
fn comment(name: &str) -> String {
    shown::name(name).trim().to_owned()
}

fn json(listing: &Listing) -> String {
    let entry = |property: &'_ ListedProperty| {
        serde_json::json!({
            "property_id": property.id.to_string(),
            "property_name": property.name,
            "property_type": type_of(property),
            "account_id": property.account_id,
            "account_name": property.account_name,
        })
    };
    let all: Vec<_> = listing.properties.iter().map(entry).collect();
    format!("{:#}\n", serde_json::json!({ "properties": all }))
}

fn type_of(property: &ListedProperty) -> &'static str {
    property.property_type.map_or("", PropertyType::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let property = |id: &str, name: &str, property_type| ListedProperty {
            id: id.parse().unwrap(),
            name: shown::name(name),
            property_type,
            account_id: "9".to_owned(),
            account_name: "Example: a #1".to_owned(),
        };
        Listing {
            properties: vec![
                property("1", "Shop\n- id: 3", Some(PropertyType::Ordinary)),
                property("2", "All # shops", Some(PropertyType::Rollup)),
            ],
            ..Listing::default()
        }
    }

    #[test]
    fn yaml_pastes_into_the_configuration() {
        let text = yaml(&listing());
        let expected =
            "properties:\n  # Example: a #1 (9)\n  - id: 1 # Shop - id: 3\n  - id: 2 # All # shops, rollup\n";
        assert_eq!(text, expected);
        let config = crate::config::Config::from_yaml(&text, std::path::Path::new("x.yml")).unwrap().config;
        assert_eq!(config.properties.iter().map(|property| property.id.as_u64()).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn json_is_one_object() {
        let value: serde_json::Value = serde_json::from_str(&json(&listing())).unwrap();
        assert_eq!(value["properties"][1]["property_type"], "rollup");
        assert_eq!(value["properties"][0]["property_id"], "1");
    }
}
