//! `/account`: the list of one's sessions.

use engine::time::WallTime;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::codec::PostcardCodec;
use crate::ready::ready;
use crate::screens::sign_in::Keep;
use protocol::gateway::Caller;
use protocol::rest::SessionEntry;

/// Where one is signed in.
#[component]
pub(crate) fn Account() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if matches!(use_context::<Option<Caller>>(), Some(None)) {
        leptos_axum::redirect("/login?next=/account");
    }
    let sessions = match ready(|ready| &ready.sessions) {
        Some(Ok(list)) => view! { <List list /> }.into_any(),
        Some(Err(error)) => view! {
            <p class="problem form-problem" role="alert">
                {error.message}
            </p>
        }
        .into_any(),
        None => ().into_any(),
    };
    let caller = SharedValue::<Option<Caller>, PostcardCodec>::new_with_encoding(|| {
        use_context::<Option<Caller>>().flatten()
    })
    .into_inner();
    let is_guest = caller.as_ref().is_some_and(Caller::is_guest);
    let who = caller.map(|Caller { name, email, .. }| match is_guest || name == email {
        true => name,
        false => format!("{name}, {email}"),
    });
    view! {
        <Title text="Account" />
        <main class="gate">
            <div class="card wide">
                <h1>"Where you are signed in"</h1>
                <p data-testid="account-name">{who}</p>
                <p class="lead">
                    "A session ends by itself when it is not used. End one that you do not know."
                </p>
                {sessions}
                {is_guest.then(|| view! { <Keep /> }.into_any())}
                <p class="other">
                    <a href="/" rel="external">
                        "Back to the floor"
                    </a>
                </p>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn List(list: Vec<SessionEntry>) -> impl IntoView {
    let others = list.iter().filter(|entry| !entry.current).count();
    view! {
        <ul class="sessions" data-testid="sessions">
            {list.into_iter().map(|entry| view! { <Entry entry /> }).map(IntoAny::into_any).collect_view()}
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
    .into_any()
}

#[component]
fn Entry(entry: SessionEntry) -> impl IntoView {
    let SessionEntry { session_id, current, device, created_at, last_seen_at, expires_at } = entry;
    let word = if current { "Sign out" } else { "End" };
    let label = format!("{word}: {device}, signed in {}", minute(created_at));
    view! {
        <li data-testid="session" data-current=current.to_string()>
            <div>
                <strong>{device}</strong>
                {current.then(|| view! { <span class="badge">"this one"</span> }.into_any())}
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
    .into_any()
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
