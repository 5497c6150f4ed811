//! Sign in, open an account, set a new password: plain forms that work before
//! hydration and without scripts. The server answers them with redirects.
//!
//! Know no rule about passwords, only the words for its refusals.

mod fields;
mod pitch;
mod problem;

use codee::binary::PostcardCodec;
use engine::money::Money;
use leptos::prelude::*;
use leptos_meta::Title;
use protocol::gateway::SharedGateway;

use crate::format;
use crate::routes::{LOGIN, REGISTER, RESET};
use fields::{EmailField, NextField};
use pitch::Pitch;

pub(super) use fields::{FormAlert, FormAnswer, NameField, PasswordField};

/// Hint of a field for a new password.
pub(super) const PASSWORD_HINT: &str = "At least 10 characters; a few unusual words are best.";

/// The landing page: what this is, the form of a guest, the sign-in form.
#[component]
pub(crate) fn LoginScreen() -> impl IntoView {
    redirect_to_trade();
    let answer = FormAnswer::read();
    view! {
        <Title text="Sign in" />
        <div class="landing">
            <Pitch />
            <FormCard
                heading="Start trading"
                lead="No e-mail needed: a name is enough."
                answer=answer.clone()
            >
                <GuestForm answer=answer.clone() />
                <h2>"Sign in"</h2>
                {answer
                    .has_notice("password_set")
                    .then(|| {
                        view! {
                            <p class="lead" role="status" data-testid="notice">
                                "Your new password is set. Sign in with it."
                            </p>
                        }
                    })}
                <form method="post" action=LOGIN data-testid="login-form">
                    <NextField answer=answer.clone() />
                    <EmailField answer=answer.clone() />
                    <PasswordField answer=answer.clone() autocomplete="current-password" />
                    <button data-testid="submit">
                        "Sign in"
                    </button>
                </form>
                <p class="other">
                    "New here? "
                    <a href=REGISTER rel="external">
                        "Open an account"
                    </a>
                </p>
            </FormCard>
        </div>
    }
}

/// The form that opens an account.
#[component]
pub(crate) fn RegisterScreen() -> impl IntoView {
    redirect_to_trade();
    let answer = FormAnswer::read();
    let balance = SharedValue::<Option<Money>, PostcardCodec>::new_with_encoding(|| {
        use_context::<SharedGateway>().map(|gateway| gateway.venue_info().starting_balance)
    })
    .into_inner();
    view! {
        <Title text="Open an account" />
        <FormCard
            heading="Open an account"
            lead="A simulated market, real order books, no real money."
            answer=answer.clone()
        >
            <GuestForm answer=answer.clone() hides_answer=true />
            <form method="post" action=REGISTER data-testid="register-form">
                {balance
                    .map(|balance| {
                        view! {
                            <p class="balance">
                                <span>"Starting balance"</span>
                                <strong class="num" data-testid="starting-balance">
                                    {format::money(balance)}
                                </strong>
                            </p>
                        }
                    })}
                <NextField answer=answer.clone() />
                <NameField answer=answer.clone() id="name" label="Display name (optional)" />
                <EmailField answer=answer.clone() />
                <PasswordField answer=answer.clone() autocomplete="new-password" hint=PASSWORD_HINT />
                <button class="primary" data-testid="submit">
                    "Open account"
                </button>
            </form>
            <p class="other">
                "Already registered? "
                <a href=LOGIN rel="external">
                    "Sign in"
                </a>
            </p>
        </FormCard>
    }
}

/// The form that sets a new password, for the holder of a reset link.
#[component]
pub(crate) fn ResetScreen() -> impl IntoView {
    let answer = FormAnswer::read();
    view! {
        <Title text="New password" />
        <FormCard
            heading="Set a new password"
            lead="The link works once. Wherever you are signed in, you will be signed out."
            answer=answer.clone()
        >
            <form method="post" action=RESET data-testid="reset-form">
                <input type="hidden" name="token" value=answer.token.clone() />
                <PasswordField answer=answer.clone() autocomplete="new-password" hint=PASSWORD_HINT />
                <button class="primary" data-testid="submit">
                    "Set password"
                </button>
            </form>
        </FormCard>
    }
}

/// The form of a guest: a name, no address, no password.
#[component]
fn GuestForm(answer: FormAnswer, #[prop(optional)] hides_answer: bool) -> impl IntoView {
    view! {
        <form class="try" method="post" action="/guest" data-testid="guest-form">
            <NextField answer=answer.clone() />
            <NameField answer id="guest-name" label="Your name" required=true hides_answer />
            <button class="primary" data-testid="try-it">
                "Start trading as a guest"
            </button>
        </form>
    }
}

/// The form by which a guest saves the account, who is removed after `days` without
/// activity.
#[component]
pub(super) fn SaveAccount(answer: FormAnswer, days: i64) -> impl IntoView {
    view! {
        <h2 id="save">"Save this account"</h2>
        <p class="lead" data-testid="guest-warning">
            {format!(
                "You are a guest: this account exists only in this browser and is deleted when you sign out or stay \
                 away {}. Add an e-mail and password to keep it.",
                counted_days(days),
            )}
        </p>
        <form method="post" action="/account/keep" data-testid="keep-form">
            <EmailField answer=answer.clone() />
            <PasswordField answer autocomplete="new-password" hint=PASSWORD_HINT />
            <button class="primary" data-testid="submit">
                "Save account"
            </button>
        </form>
    }
}

/// `1 day`, `30 days`.
fn counted_days(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// Redirects a signed-in user to the trading screen.
fn redirect_to_trade() {
    #[cfg(feature = "ssr")]
    if use_context::<Option<protocol::caller::Caller>>().flatten().is_some() {
        leptos_axum::redirect(crate::routes::TRADE);
    }
}

/// The product's sign and name.
#[component]
pub(super) fn Brand() -> impl IntoView {
    view! {
        <p class="brand">
            <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
                <path d="M5 4v16M5 8h3v7H5M12 2v20M10 6h4v9h-4zM19 6v14M17 10h4v6h-4z" />
            </svg>
            "Tickhall"
        </p>
    }
}

/// The card around a form: heading, and the problem of the form as a whole.
#[component]
fn FormCard(
    heading: &'static str,
    lead: &'static str,
    answer: FormAnswer,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="card">
            <Brand />
            <h1>{heading}</h1>
            <p class="lead">{lead}</p>
            <FormAlert answer />
            {children()}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        assert_eq!([counted_days(1), counted_days(30)], ["1 day", "30 days"]);
    }
}
