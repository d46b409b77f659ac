//! Asking the Data API which fields a property has, and which go together.

use std::collections::BTreeSet;

use ga4_exporter_core::{
    names::{Method, PropertyId},
    wire::{
        ApiError,
        schema::{CompatibilityRequest, CompatibilityResponse, Schema},
    },
};

use super::Client;

impl Client {
    /// `properties.getMetadata`: the fields that core reports of a property may ask for.
    ///
    /// # Errors
    /// See [`ApiError`]; an answer that lists nothing is [`ApiError::Protocol`].
    pub async fn schema(&self, property: PropertyId) -> Result<Schema, ApiError> {
        let path = format!("v1beta/properties/{property}/metadata");
        self.get(Method::GetMetadata, &path, &[], Schema::of).await
    }

    /// `properties.checkCompatibility`: the fields of the property that do not go with a request. Google refuses requests that
    /// are not compatible in themselves.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn incompatible(
        &self,
        property: PropertyId,
        request: &CompatibilityRequest,
    ) -> Result<BTreeSet<String>, ApiError> {
        let names = |response: CompatibilityResponse| {
            Ok(response.incompatible().into_iter().map(str::to_owned).collect::<BTreeSet<_>>())
        };
        self.post(Method::CheckCompatibility, property, request, names).await
    }
}
