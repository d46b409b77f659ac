//! The Admin API's listing of accounts and their properties, read entry by entry.
//!
//! Knows what a page of `accountSummaries.list` looks like, and which part of it is needed. An unreadable entry is noted and
//! skipped, and a text of the wrong type counts as missing. Refuses to know HTTP. Invariant: only the needed part of an entry
//! is kept while the page is read.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor},
};

use super::lenient::{self, Object, Shape, Text};
use crate::{
    chain::one_line,
    names::{PropertyId, PropertyType},
    shown::name,
};

/// A property as a listing shows it. Unknown texts are empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedProperty {
    /// Its id.
    pub id: PropertyId,
    /// The name that its users gave it.
    pub name: String,
    /// The kind of property; `None` if Google does not say.
    pub property_type: Option<PropertyType>,
    /// The number of the account that it belongs to, also where its parent is another property.
    pub account_id: String,
    /// The name that the account's users gave it.
    pub account_name: String,
}

/// What the Admin API lists: a page, or all of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    /// The properties, in Google's order.
    pub properties: Vec<ListedProperty>,
    /// Unreadable entries, a short line each; only the first few.
    pub unreadable: Vec<String>,
    /// How many entries were skipped; which properties they are is unknown.
    pub hidden: usize,
}

impl Listing {
    /// Reads a page. Returns its content and the token of the next page, which is empty on the last one.
    ///
    /// # Errors
    /// The answer is not a page of a listing. `{}` is an empty page.
    pub fn of_page(ListingPage(page): ListingPage) -> Result<(Self, String), String> {
        let Object::Is(page) = page else { return Err("it is not an object".to_owned()) };
        if page.has_other && page.account_summaries.is_none() && page.next_page_token.is_none() {
            return Err("it is not a listing of accounts".to_owned());
        }
        let listing = match page.account_summaries.unwrap_or_default() {
            Entries::All(Accounts(listing)) => listing,
            Entries::Other => return Err(format!("its `{ACCOUNTS}` is not a list")),
        };
        match page.next_page_token.unwrap_or_default() {
            Text::Other(_) => Err(format!("its `{NEXT_PAGE}` is not a text")),
            token @ (Text::Missing | Text::Is(_)) if token.is_cut() => Err(format!("its `{NEXT_PAGE}` is too long")),
            token @ (Text::Missing | Text::Is(_)) => Ok((listing, token.as_str().to_owned())),
        }
    }

    /// Adds the next page.
    pub fn append(&mut self, page: Self) {
        self.properties.extend(page.properties);
        self.hidden += page.hidden;
        let room = MAX_UNREADABLE.saturating_sub(self.unreadable.len());
        self.unreadable.extend(page.unreadable.into_iter().take(room));
    }

    /// Keeps each property once, as it is listed last. Google may list one under two accounts, or on two pages.
    #[must_use]
    pub fn with_each_property_once(mut self) -> Self {
        let mut places = HashMap::new();
        let mut once: Vec<ListedProperty> = Vec::with_capacity(self.properties.len());
        for property in std::mem::take(&mut self.properties) {
            let place = *places.entry(property.id).or_insert(once.len());
            match once.get_mut(place) {
                Some(known) => *known = property,
                None => once.push(property),
            }
        }
        self.properties = once;
        self
    }

    /// Whether a missing property is really gone: false if it may be one of the unreadable entries.
    pub fn is_complete(&self) -> bool {
        self.hidden == 0
    }

    fn read_account(&mut self, entry: Object<Account>) {
        let account = match entry {
            Object::Is(account) => account,
            Object::Other(sketch) => return self.pass_over("an account is not an object", &sketch),
        };
        let account_name = name(self.text_of("displayName", &account.display_name, &account));
        let account_id = number(self.text_of("account", &account.account, &account));
        match account.property_summaries {
            Entries::All(Summaries(mut summaries)) => {
                for property in &mut summaries.properties {
                    property.account_id.clone_from(&account_id);
                    property.account_name.clone_from(&account_name);
                }
                self.append(summaries);
            }
            Entries::Other => {
                self.pass_over("the `propertySummaries` of an account are not a list", &account.to_string());
            }
        }
    }

    fn read_property(&mut self, entry: Object<Summary>) {
        let summary = match entry {
            Object::Is(summary) => summary,
            Object::Other(sketch) => return self.pass_over("a property is not an object", &sketch),
        };
        let Ok(id) = summary.property.as_str().parse() else {
            return self.pass_over("the `property` of an entry is not `properties/NUMBER`", &summary.to_string());
        };
        let name = name(self.text_of("displayName", &summary.display_name, &summary));
        let property_type = PropertyType::named(self.text_of("propertyType", &summary.property_type, &summary));
        let (account_id, account_name) = (String::new(), String::new());
        self.properties.push(ListedProperty { id, name, property_type, account_id, account_name });
    }

    /// An optional text.
    fn text_of<'a>(&mut self, key: &str, text: &'a Text, entry: &impl fmt::Display) -> &'a str {
        if matches!(text, Text::Other(_)) {
            self.note(format_args!("the `{key}` of an entry is not a text"), &entry.to_string());
        }
        text.as_str()
    }

    fn pass_over(&mut self, why: &str, entry: &str) {
        self.hidden += 1;
        self.note(format_args!("{why}"), entry);
    }

    fn note(&mut self, why: fmt::Arguments<'_>, entry: &str) {
        if self.unreadable.len() < MAX_UNREADABLE {
            self.unreadable.push(one_line(&format!("{why}: {entry}"), MAX_LINE));
        }
    }
}

impl ListedProperty {
    /// The same, keeping known texts where the new ones are unknown.
    #[must_use]
    pub fn or_known(mut self, known: &Self) -> Self {
        let texts = [
            (&mut self.name, &known.name),
            (&mut self.account_id, &known.account_id),
            (&mut self.account_name, &known.account_name),
        ];
        for (text, known) in texts {
            if text.is_empty() {
                text.clone_from(known);
            }
        }
        self.property_type = self.property_type.or(known.property_type);
        self
    }
}

/// A page as received, of any shape.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct ListingPage(Object<Page>);

/// `ListAccountSummariesResponse`.
#[derive(Default)]
struct Page {
    account_summaries: Option<Entries<Accounts>>,
    next_page_token: Option<Text>,
    /// Whether there are unknown fields.
    has_other: bool,
}

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Page;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Page, A::Error> {
                let mut page = Page::default();
                while let Some(key) = fields.next_key::<Text>()? {
                    match key.as_str() {
                        ACCOUNTS => page.account_summaries = Some(fields.next_value()?),
                        NEXT_PAGE => page.next_page_token = Some(fields.next_value()?),
                        _ => {
                            page.has_other = true;
                            fields.next_value::<de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(page)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// `AccountSummary`, as far as it is used.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Account {
    account: Text,
    display_name: Text,
    property_summaries: Entries<Summaries>,
}

/// `PropertySummary`, as far as it is used.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Summary {
    property: Text,
    display_name: Text,
    property_type: Text,
}

/// Reads a list of entries; missing and `null` ones are empty.
enum Entries<T> {
    All(T),
    /// It is no list.
    Other,
}

/// Entries that are read one after the other.
trait Collect: Default {
    type Entry: DeserializeOwned;

    fn take(&mut self, entry: Self::Entry);

    /// Whether there are more than fit on a page.
    fn is_full(&self) -> bool;
}

#[derive(Default)]
struct Accounts(Listing);

/// The properties of an account that is not known yet.
#[derive(Default)]
struct Summaries(Listing);

impl Collect for Accounts {
    type Entry = Object<Account>;

    fn take(&mut self, entry: Self::Entry) {
        self.0.read_account(entry);
    }

    fn is_full(&self) -> bool {
        self.0.properties.len() > MAX_ON_PAGE
    }
}

impl Collect for Summaries {
    type Entry = Object<Summary>;

    fn take(&mut self, entry: Self::Entry) {
        self.0.read_property(entry);
    }

    fn is_full(&self) -> bool {
        self.0.properties.len() > MAX_ON_PAGE
    }
}

impl<T: Default> Default for Entries<T> {
    fn default() -> Self {
        Self::All(T::default())
    }
}

impl<'de, T: Collect> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lenient::read(deserializer)
    }
}

impl<'de, T: Collect> Shape<'de> for Entries<T> {
    fn of_other(_: String) -> Self {
        Self::Other
    }

    fn of_null() -> Self {
        Self::default()
    }

    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut entries = T::default();
        while let Some(entry) = list.next_element()? {
            entries.take(entry);
            if entries.is_full() {
                return Err(de::Error::custom("more properties than a page can have"));
            }
        }
        Ok(Self::All(entries))
    }
}

/// A sketch for a note.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{\"account\":{},\"displayName\":{},…}}", self.account, self.display_name)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { property, display_name, property_type } = self;
        write!(f, "{{\"property\":{property},\"displayName\":{display_name},\"propertyType\":{property_type}}}")
    }
}

/// `1000` of `accounts/1000`.
pub(super) fn number(account: &str) -> String {
    name(account.strip_prefix("accounts/").unwrap_or(account))
}

const ACCOUNTS: &str = "accountSummaries";

const NEXT_PAGE: &str = "nextPageToken";

/// The most properties that are read of a page: it has 200 accounts at most.
const MAX_ON_PAGE: usize = 20_000;

/// How many unreadable entries of a listing are noted.
const MAX_UNREADABLE: usize = 10;

/// How long such a note is, in characters.
const MAX_LINE: usize = 200;

#[cfg(test)]
mod tests;
