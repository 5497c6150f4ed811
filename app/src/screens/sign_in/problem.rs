//! Texts for the refusals of a form, each with its field.
//!
//! Codes come back in the URL as `?error=…`.

/// A refusal of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FormProblem {
    /// `email`, `password`, `current_password` or `name`; `None` for the form as a whole.
    pub(super) field: Option<&'static str>,
    /// Text for the user.
    pub(super) text: &'static str,
}

/// The problem with a code; an unknown code gets a general text.
pub(super) fn problem(code: &str) -> FormProblem {
    let (field, text) = match code {
        "invalid_email" => (Some("email"), "Enter an e-mail address like name@example.com."),
        "invalid_name" => (Some("name"), "Use 1 to 40 letters, digits, spaces, or - _ . '"),
        "not_guest" => (None, "This account has an e-mail address already."),
        "no_password" => (None, "A guest has no password. Save the account first."),
        "wrong_password" => (Some("current_password"), "This is not your present password."),
        "too_many_guests" => {
            (None, "The venue has no room for another guest. Open an account with an e-mail address.")
        }
        "guest_session" => (None, "You are signed in as a guest here. Save the account or sign out first."),
        "email_taken" => (Some("email"), "This address is already registered. Sign in instead."),
        "password_weak" => (Some("password"), "This password is easy to guess. Use a longer, unusual one."),
        "password_too_short" => (Some("password"), "Use at least 10 characters."),
        "password_too_long" => (Some("password"), "Use at most 1,024 characters."),
        "invalid_credentials" => (None, "E-mail address and password do not match."),
        "invalid_token" => (None, "This link was used already or is too old. Ask for another."),
        "rate_limited" => (None, "Too many attempts. Wait a minute, then try again."),
        "busy" => (None, "Many people are signing in. Try again in a moment."),
        "foreign_origin" => (None, "The form was sent from another site. Send it again from here."),
        "unavailable" => (None, "The venue is not answering just now. Try again in a moment."),
        _ => (None, "That did not work. Try again."),
    };
    FormProblem { field, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_stand_next_to_their_field() {
        assert_eq!(problem("email_taken").field, Some("email"));
        assert_eq!(problem("password_weak").field, Some("password"));
        assert_eq!(problem("invalid_credentials").field, None);
        assert!(!problem("anything else").text.is_empty());
    }
}
