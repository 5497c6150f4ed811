//! Who is connected: users with an active session, their sockets, what they are
//! worth. Resets their accounts, after a question.
//!
//! Shows what the gateway lists; knows no password and no session.

use engine::id::AccountId;
use engine::time::WallTime;
use leptos::html;
use leptos::prelude::*;
use protocol::rest::ConnectedUser;

use crate::api::{self, ControlOverview};
use crate::format;
use crate::layout::Hydrated;
use crate::live::{Live, NotificationKind};

/// A user whose account is to be reset: name and account.
type Asked = RwSignal<Option<(String, AccountId)>>;

#[component]
pub(super) fn UsersPanel(live: Live, overview: RwSignal<ControlOverview>) -> impl IntoView {
    let users = Memo::new(move |_| overview.with(|overview| overview.users.clone()));
    let asked: Asked = RwSignal::new(None);
    let summary = move || {
        users.with(|found| {
            let listed = found.users.len() as u64;
            let users = match found.total {
                1 => "1 user".to_owned(),
                total if listed < total => {
                    format!("{} of {} users", format::count(listed), format::count(total))
                }
                total => format!("{} users", format::count(total)),
            };
            let sockets = match found.sockets {
                1 => "1 socket".to_owned(),
                count => format!("{} sockets", format::count(count)),
            };
            format!("{users} · {sockets} here")
        })
    };
    let listed =
        move || users.with(|found| found.users.iter().map(|user| user.user.clone()).collect::<Vec<_>>());
    let row = move |id: String| {
        let user =
            Memo::new(move |_| users.with(|found| found.users.iter().find(|user| user.user == id).cloned()));
        view! { <Row user asked /> }
    };
    view! {
        <header>
            <h2 id="users-title">"Connected"</h2>
            <span class="note" data-testid="connected-summary">
                {summary}
            </span>
        </header>
        <ResetQuestion live asked />
        <div class="body" tabindex="0" role="group" aria-labelledby="users-title">
            <table data-testid="connected">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col" class="wide">
                            "E-mail"
                        </th>
                        <th scope="col" class="num wide">
                            "Sessions"
                        </th>
                        <th scope="col" class="num">
                            "Sockets"
                        </th>
                        <th scope="col" class="num">
                            "Last active, UTC"
                        </th>
                        <th scope="col" class="num">
                            "NAV " <span class="unit">{live.currency()}</span>
                        </th>
                        <th scope="col" class="act">
                            <span class="sr-only">"Reset"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    // Rows stay while their figures are read anew: a button that is
                    // replaced loses its focus, and its press.
                    <For each=listed key=String::clone children=row />
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(user: Memo<Option<ConnectedUser>>, asked: Asked) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let text = move |read: fn(&ConnectedUser) -> String| {
        move || user.with(|user| user.as_ref().map(read).unwrap_or_default())
    };
    let address =
        |user: &ConnectedUser| if user.is_guest() { "guest".to_owned() } else { user.email.clone() };
    let nav = |user: &ConnectedUser| user.nav.map_or_else(|| format::ABSENT.to_owned(), format::money);
    let is_open = move || user.with(|user| user.as_ref().is_some_and(|user| user.nav.is_some()));
    let ask = move |_| asked.set(user.get_untracked().map(|user| (user.name, user.account)));
    view! {
        <tr data-testid="connected-user">
            <th scope="row">{text(|user| user.name.clone())}</th>
            <td class="wide">{text(address)}</td>
            <td class="num wide">{text(|user| user.sessions.to_string())}</td>
            <td class="num">{text(|user| user.sockets.to_string())}</td>
            <td class="num">{text(|user| clock(user.last_seen_at))}</td>
            <td class="num">{text(nav)}</td>
            <td class="act">
                <button
                    type="button"
                    class="small"
                    aria-label=text(|user| format!("Reset the account of {}", user.name))
                    disabled=move || !hydrated.get() || !is_open()
                    data-testid="reset-account"
                    on:click=ask
                >
                    "Reset"
                </button>
            </td>
        </tr>
    }
}

/// Asks before an account is reset, and resets it.
#[component]
fn ResetQuestion(live: Live, asked: Asked) -> impl IntoView {
    let reset = Action::new(move |(name, account): &(String, AccountId)| {
        let (name, account) = (name.clone(), account.to_string());
        async move {
            match api::reset_account(account).await {
                Ok(()) => live.announce(format!("The account of {name} is reset.")),
                Err(error) => live.notify(NotificationKind::Refusal, format!("Not reset: {}", error.message)),
            }
        }
    });
    let confirm = move |_| {
        if let Some(user) = asked.try_update(Option::take).flatten() {
            reset.dispatch(user);
        }
    };
    // The harmless answer has the focus.
    let back = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(back) = back.get() {
            let _ = back.focus();
        }
    });
    let name = move || asked.with(|user| user.as_ref().map(|(name, _)| name.clone()).unwrap_or_default());
    view! {
        <Show when=move || asked.with(Option::is_some)>
            <div class="question" role="alertdialog" aria-labelledby="reset-why" data-testid="reset-question">
                <span id="reset-why">
                    {move || {
                        format!(
                            "Reset the account of {}? Orders are cancelled, positions sold at the marks, and the cash is the starting balance again. This cannot be undone.",
                            name(),
                        )
                    }}
                </span>
                <button type="button" class="small primary" data-testid="reset-yes" on:click=confirm>
                    "Reset the account"
                </button>
                <button
                    type="button"
                    class="small"
                    node_ref=back
                    data-dismiss=""
                    data-testid="reset-no"
                    on:click=move |_| asked.set(None)
                >
                    "Keep"
                </button>
            </div>
        </Show>
    }
}

/// `09:30:15` of a wall time.
fn clock(at: WallTime) -> String {
    let text = at.to_string();
    text.split_once('T').and_then(|(_, time)| time.get(..8)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_activity_is_shown_to_the_second() {
        assert_eq!(clock("2026-01-05T09:30:59.123456Z".parse().unwrap()), "09:30:59");
    }
}
