//! Sign-in, registration and sessions.

use engine::time::WallTime;
use serde::{Deserialize, Serialize};

/// Body of `POST /api/v1/auth/register`, `…/login` and `…/keep`.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialsRequest {
    /// E-mail address.
    pub email: Option<String>,
    /// Password.
    pub password: Option<String>,
}

/// Body of `POST /api/v1/auth/guest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuestRequest {
    /// Display name.
    pub name: Option<String>,
}

/// Body of `POST /api/v1/auth/reset`.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResetPasswordRequest {
    /// Token of the reset link.
    pub token: Option<String>,
    /// New password.
    pub password: Option<String>,
}

/// One of the caller's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    /// Identifies it to its user; opens nothing.
    pub session_id: String,
    /// True for the session of this very request.
    pub current: bool,
    /// Browser and system, like `Firefox on Linux`.
    pub device: String,
    /// Time of the sign-in.
    pub created_at: WallTime,
    /// Time of the last activity, to half a minute.
    pub last_seen_at: WallTime,
    /// End, whatever the user does.
    pub expires_at: WallTime,
}
