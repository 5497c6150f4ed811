//! A user's own profile: the display name and the password.
//!
//! Does not know how a user signs in.

use std::net::IpAddr;

use super::name::{DisplayName, InvalidName};
use super::{Auth, AuthError, Identity, password, run_to_completion};
use crate::store::users::User;

impl Auth {
    /// Sets the caller's display name; a blank one shows the e-mail address, which a
    /// guest does not have.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn rename(&self, caller: &Identity, name: &str) -> Result<User, AuthError> {
        let name = match DisplayName::parse_optional(name)? {
            None if caller.user.is_guest() => return Err(InvalidName.into()),
            name => name.map(String::from),
        };
        let (auth, user) = (self.clone(), User { name, ..caller.user.clone() });
        run_to_completion(async move {
            if !auth.inner.store.set_user_name(user.id, user.name.as_deref()).await? {
                return Err(AuthError::NotSignedIn);
            }
            auth.sessions().update_copies(&user).await?;
            Ok(user)
        })
        .await
    }

    /// Replaces the caller's password after checking the present one, with the limits
    /// of a sign-in. The caller's other sessions end.
    ///
    /// # Errors
    /// [`AuthError`]; nothing has changed then.
    pub async fn change_password(
        &self,
        caller: &Identity,
        present: String,
        new: String,
        address: IpAddr,
    ) -> Result<(), AuthError> {
        if caller.user.is_guest() {
            return Err(AuthError::NoPassword);
        }
        password::check_length(&new)?;
        let verified = self.verify_password(&caller.user.email, present, address).await?;
        let row = verified.ok_or(AuthError::WrongPassword)?;
        self.check_strength(&new, &row.email, address).await?;
        let (auth, current) = (self.clone(), caller.session.hash().0);
        run_to_completion(async move {
            let inner = &auth.inner;
            let hash = inner.hasher.hash(new, Some(address)).await?;
            let ended = inner.store.change_password(row.id, &row.password_hash, &hash, current).await?;
            inner.sessions.announce_deleted(ended.ok_or(AuthError::WrongPassword)?).await;
            tracing::info!(event = "password_changed", user = %row.id, "a user changed their password");
            Ok(())
        })
        .await
    }
}
