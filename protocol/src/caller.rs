//! The signed-in user of a request, and what they may do.
//!
//! Does not know how anybody signs in.

use std::collections::HashSet;

use engine::id::AccountId;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// The signed-in user of a request: made by the session layer alone, so that
/// ownership cannot be claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Caller {
    /// User id, a UUID.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub user: String,
    /// E-mail address; a guest's has no `@`.
    pub email: String,
    /// Display name, else the address.
    pub name: String,
    /// Their account in the venue.
    pub account: AccountId,
    /// True for the venue's owner.
    pub owner: bool,
    /// Identifies the session; not the value of its cookie.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub session_id: String,
    /// Actions that the user's role allows; clients are not told.
    #[serde(skip)]
    pub permissions: HashSet<Permission>,
}

/// Actions that a role allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Place, amend and cancel orders, take quotes.
    Trade,
    /// Set the venue's clock, see who is connected and how agents do.
    ControlVenue,
}

impl Caller {
    /// Checks that the caller has a permission.
    ///
    /// # Errors
    /// 403 `not_trader` or `not_owner`.
    pub fn require(&self, permission: Permission) -> Result<(), ApiError> {
        let (code, message) = match permission {
            _ if self.permissions.contains(&permission) => return Ok(()),
            Permission::Trade => ("not_trader", "Only traders may do this."),
            Permission::ControlVenue => ("not_owner", "Only the venue's owner may do this."),
        };
        Err(ApiError::new(403, code, message))
    }

    /// Returns true for a user without an e-mail address.
    pub fn is_guest(&self) -> bool {
        !self.email.contains('@')
    }
}
