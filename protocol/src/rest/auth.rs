//! Sign-in, registration and sessions.

use engine::time::WallTime;
use serde::{Deserialize, Serialize};

/// Body of `POST /api/v1/auth/login` and `…/keep`.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CredentialsRequest {
    /// E-mail address.
    #[cfg_attr(feature = "openapi", schema(value_type = String, required))]
    pub email: Option<String>,
    /// Password.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, required))]
    pub password: Option<String>,
}

/// Body of `POST /api/v1/auth/register`.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// E-mail address.
    #[cfg_attr(feature = "openapi", schema(value_type = String, required))]
    pub email: Option<String>,
    /// Password.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, required))]
    pub password: Option<String>,
    /// Display name; the e-mail address is shown without one.
    pub name: Option<String>,
}

/// Body of `PATCH /api/v1/account/profile`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProfileRequest {
    /// New display name; empty, to show the e-mail address.
    #[cfg_attr(feature = "openapi", schema(value_type = String, required))]
    pub name: Option<String>,
}

/// Body of `POST /api/v1/auth/password`.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordRequest {
    /// Present password.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, required))]
    pub current_password: Option<String>,
    /// New password.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, required))]
    pub password: Option<String>,
}

/// Body of `POST /api/v1/auth/guest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GuestRequest {
    /// Display name.
    #[cfg_attr(feature = "openapi", schema(value_type = String, required))]
    pub name: Option<String>,
}

/// Body of `POST /api/v1/auth/reset`.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetPasswordRequest {
    /// Token of the reset link.
    #[cfg_attr(feature = "openapi", schema(value_type = String, required))]
    pub token: Option<String>,
    /// New password.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, required))]
    pub password: Option<String>,
}

/// One of the caller's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionEntry {
    /// Identifies it to its user; opens nothing.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
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
