//! Lines that browsers send for the server's log.

use serde::Deserialize;

/// Body of `POST /api/v1/logs`: a line for the server's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogRequest {
    /// `error`, `warn` or `info`.
    pub level: Option<String>,
    /// Identifier in `snake_case`, like `page_failed`.
    pub event: Option<String>,
    /// Sentence for people.
    pub message: Option<String>,
    /// Path of the page.
    pub page: Option<String>,
    /// Stack trace or the like.
    pub details: Option<String>,
}
