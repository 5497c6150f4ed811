//! Who is connected: users with an active session, their sockets, what they are
//! worth.
//!
//! Shows what the gateway lists; knows no password and no session.

use engine::time::WallTime;
use leptos::prelude::*;
use protocol::rest::ConnectedUser;

use crate::api::ControlOverview;
use crate::format;
use crate::live::Live;

#[component]
pub(super) fn UsersPanel(live: Live, overview: RwSignal<ControlOverview>) -> impl IntoView {
    let users = Memo::new(move |_| overview.with(|overview| overview.users.clone()));
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
    let row = |user: ConnectedUser| {
        let address = if user.is_guest() { "guest".to_owned() } else { user.email };
        view! {
            <tr data-testid="connected-user">
                <th scope="row">{user.name}</th>
                <td class="wide">{address}</td>
                <td class="num wide">{user.sessions}</td>
                <td class="num">{user.sockets}</td>
                <td class="num">{clock(user.last_seen_at)}</td>
                <td class="num">{user.nav.map_or_else(|| format::ABSENT.to_owned(), format::money)}</td>
            </tr>
        }
    };
    view! {
        <header>
            <h2 id="users-title">"Connected"</h2>
            <span class="note" data-testid="connected-summary">
                {summary}
            </span>
        </header>
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
                    </tr>
                </thead>
                <tbody>{move || users.get().users.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
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
