//! Lines that browsers send for the server's log.

use serde::Deserialize;

/// Body of `POST /api/v1/logs`: a line for the server's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogRequest {
    /// `error`, `warn` or `info`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(error|warn|info)$", required))]
    pub level: Option<String>,
    /// Identifier in `snake_case`, like `page_failed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[a-z][a-z0-9_]{0,63}$", required))]
    pub event: Option<String>,
    /// Sentence for people.
    #[cfg_attr(feature = "openapi", schema(max_length = 1_000))]
    pub message: Option<String>,
    /// Path of the page.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub page: Option<String>,
    /// Stack trace or the like.
    #[cfg_attr(feature = "openapi", schema(max_length = 8_000))]
    pub details: Option<String>,
}
