//! The account page: the user's sessions, and how a guest keeps the account.
//!
//! Plain forms, which need no script. Does not know what a session is made of.

use engine::time::WallTime;
use leptos::prelude::*;
use leptos_meta::Title;
use protocol::rest::SessionEntry;

use crate::api::{self, AccountOverview, PageData};
use crate::layout::redirect_to_login;
use crate::routes::TRADE;
use crate::screens::sign_in::KeepAccount;

/// The account page.
#[component]
pub(crate) fn AccountScreen() -> impl IntoView {
    if redirect_to_login() {
        return ().into_any();
    }
    let overview: PageData<AccountOverview> =
        PageData::new_with_options(|| (), |()| api::read_account(), true);
    let content = Suspend::new(async move {
        match overview.await {
            Ok(overview) => view! { <Overview overview /> }.into_any(),
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
            <h1>"Your sessions"</h1>
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
fn Overview(overview: AccountOverview) -> impl IntoView {
    let AccountOverview { caller, sessions } = overview;
    let is_guest = caller.is_guest();
    let who = match is_guest || caller.name == caller.email {
        true => caller.name,
        false => format!("{}, {}", caller.name, caller.email),
    };
    view! {
        <p data-testid="account-name">{who}</p>
        <p class="lead">"A session ends by itself when it is not used. End one that you do not know."</p>
        <Sessions sessions />
        {is_guest.then(|| view! { <KeepAccount /> })}
    }
}

#[component]
fn Sessions(sessions: Vec<SessionEntry>) -> impl IntoView {
    let others = sessions.iter().filter(|entry| !entry.current).count();
    view! {
        <ul class="sessions" data-testid="sessions">
            {sessions.into_iter().map(|entry| view! { <Session entry /> }).collect_view()}
        </ul>
        {(others > 1)
            .then(|| {
                view! {
                    <form method="post" action="/account/sessions">
                        <button name="session" value="others" data-testid="end-others">
                            "End all others"
                        </button>
                    </form>
                }
            })}
    }
}

#[component]
fn Session(entry: SessionEntry) -> impl IntoView {
    let SessionEntry { session_id, current, device, created_at, last_seen_at, expires_at } = entry;
    let word = if current { "Sign out" } else { "End" };
    let label = format!("{word}: {device}, signed in {}", minute(created_at));
    view! {
        <li data-testid="session" data-current=current.to_string()>
            <div>
                <strong>{device}</strong>
                {current.then(|| view! { <span class="badge">"this one"</span> })}
                <p class="muted">
                    "Signed in " <Moment at=created_at /> ", last active " <Moment at=last_seen_at />
                    ", ends by " <Moment at=expires_at />
                </p>
            </div>
            <form method="post" action="/account/sessions">
                <input type="hidden" name="session" value=session_id />
                <button class="small" aria-label=label data-testid="end-session">
                    {word}
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
