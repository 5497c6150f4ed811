//! The account page: how a guest saves the account, the display name, the password,
//! the user's sessions.
//!
//! Plain forms, which need no script. Does not know what a session is made of.

use engine::time::WallTime;
use leptos::prelude::*;
use leptos_meta::Title;
use protocol::rest::SessionEntry;

use crate::api::{self, AccountOverview, PageData};
use crate::components::SignOutAndDelete;
use crate::layout::redirect_to_login;
use crate::routes::TRADE;
use crate::screens::sign_in::{FormAlert, FormAnswer, NameField, PASSWORD_HINT, PasswordField, SaveAccount};

/// The account page.
#[component]
pub(crate) fn AccountScreen() -> impl IntoView {
    if redirect_to_login() {
        return ().into_any();
    }
    let answer = FormAnswer::read();
    let overview: PageData<AccountOverview> =
        PageData::new_with_options(|| (), |()| api::read_account(), true);
    let content = Suspend::new(async move {
        match overview.await {
            Ok(overview) => view! { <Overview overview answer /> }.into_any(),
            Err(error) => view! {
                <p class="problem form-problem" role="alert">
                    {error.message}
                </p>
            }
            .into_any(),
        }
    });
    view! {
        <Title text="Account" />
        <div class="card wide">
            <h1>"Account"</h1>
            <Suspense>{content}</Suspense>
            <p class="other">
                <a href=TRADE rel="external">
                    "Back to trading"
                </a>
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn Overview(overview: AccountOverview, answer: FormAnswer) -> impl IntoView {
    let AccountOverview { caller, sessions, guest_days } = overview;
    let is_guest = caller.is_guest();
    let name = if caller.name == caller.email { String::new() } else { caller.name.clone() };
    let who = match is_guest || name.is_empty() {
        true => caller.name,
        false => format!("{name}, {}", caller.email),
    };
    let profile = answer.clone().with_name(name);
    let sections = if is_guest {
        view! {
            <SaveAccount answer=answer.clone() days=guest_days />
            <h2>"Sign out"</h2>
            <p class="lead">"Signing out deletes this account, with its cash, positions and history."</p>
            <SignOutAndDelete />
            <Profile answer=profile label="Name" />
        }
        .into_any()
    } else {
        view! {
            <Profile answer=profile label="Shown in place of your e-mail address" />
            <ChangePassword answer=answer.clone() />
            <h2>"Sessions"</h2>
            <p class="lead">
                "A session ends by itself when it is not used. Sign out any you do not recognise."
            </p>
            <Sessions sessions />
        }
        .into_any()
    };
    view! {
        <p data-testid="account-name">{who}</p>
        <Notice answer=answer.clone() />
        <FormAlert answer />
        {sections}
    }
}

/// Result of the form sent before, or its question.
#[component]
fn Notice(answer: FormAnswer) -> impl IntoView {
    let text = [
        ("name_saved", "Your name is saved."),
        ("password_changed", "Your password is changed. Your other sessions are signed out."),
        (
            "guest_sign_out",
            "You are not signed out yet: this account exists only in this browser and will be gone. Save it, or \
             sign out and delete it.",
        ),
    ]
    .into_iter()
    .find(|(key, _)| answer.has_notice(key));
    text.map(|(_, text)| {
        view! {
            <p class="notice" role="status" data-testid="notice">
                {text}
            </p>
        }
    })
}

/// The form of the display name.
#[component]
fn Profile(answer: FormAnswer, label: &'static str) -> impl IntoView {
    view! {
        <h2>"Display name"</h2>
        <form method="post" action="/account/profile" data-testid="profile-form">
            <NameField answer id="name" label />
            <button data-testid="save-name">"Save name"</button>
        </form>
    }
}

/// The form of a new password, which asks for the present one.
#[component]
fn ChangePassword(answer: FormAnswer) -> impl IntoView {
    view! {
        <h2>"Password"</h2>
        <p class="lead">"Changing it signs out your other sessions."</p>
        <form method="post" action="/account/password" data-testid="password-form">
            <PasswordField
                answer=answer.clone()
                autocomplete="current-password"
                name="current_password"
                label="Present password"
            />
            <PasswordField answer autocomplete="new-password" label="New password" hint=PASSWORD_HINT />
            <button data-testid="change-password">"Change password"</button>
        </form>
    }
}

#[component]
fn Sessions(sessions: Vec<SessionEntry>) -> impl IntoView {
    let has_others = sessions.iter().any(|entry| !entry.current);
    view! {
        <ul class="sessions" data-testid="sessions">
            {sessions.into_iter().map(|entry| view! { <Session entry /> }).collect_view()}
        </ul>
        {has_others
            .then(|| {
                view! {
                    <form method="post" action="/account/sessions">
                        <button name="session" value="others" data-testid="end-others">
                            "Sign out all others"
                        </button>
                    </form>
                }
            })}
    }
}

#[component]
fn Session(entry: SessionEntry) -> impl IntoView {
    let SessionEntry { session_id, current, device, created_at, last_seen_at, expires_at } = entry;
    let label = format!("Sign out: {device}, signed in {}", minute(created_at));
    view! {
        <li data-testid="session" data-current=current.to_string()>
            <div>
                <strong>{device}</strong>
                {current.then(|| view! { <span class="badge">"this one"</span> })}
                <p class="muted">
                    "Signed in " <Moment at=created_at /> ", last used " <Moment at=last_seen_at />
                    ", ends by " <Moment at=expires_at />
                </p>
            </div>
            <form method="post" action="/account/sessions">
                <input type="hidden" name="session" value=session_id />
                <button class="small" aria-label=label data-testid="end-session">
                    "Sign out"
                </button>
            </form>
        </li>
    }
}

#[component]
fn Moment(at: WallTime) -> impl IntoView {
    view! { <time datetime=at.to_string()>{minute(at)}</time> }
}

/// `2026-01-05 09:30 UTC`.
fn minute(at: WallTime) -> String {
    let text = at.to_string();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.get(..5).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_to_the_minute() {
        assert_eq!(minute("2026-01-05T09:30:59.123456Z".parse().unwrap()), "2026-01-05 09:30 UTC");
    }
}
