//! The venue's agents: which of them work, and how far they are.
//!
//! Does not know what an agent does.

use leptos::prelude::*;
use protocol::rest::AgentState;

use crate::api::ControlOverview;
use crate::format;

#[component]
pub(super) fn AgentsPanel(overview: RwSignal<ControlOverview>) -> impl IntoView {
    let agents = Memo::new(move |_| overview.with(|overview| overview.agents.clone()));
    let row = |agent: AgentState| {
        let AgentState { agent, ok, progress, reason, age_ms } = agent;
        let (class, state) = match ok {
            true => ("up", "▲ works".to_owned()),
            false => ("crit", format!("▼ {reason}")),
        };
        let age = age_ms.map_or_else(
            || format::ABSENT.to_owned(),
            |ms| format!("{}.{}", format::count(ms / 1_000), ms % 1_000 / 100),
        );
        view! {
            <tr data-testid=format!("agent-{agent}") data-ok=ok.to_string()>
                <th scope="row">{agent_name(&agent).to_owned()}</th>
                <td class=class>{state}</td>
                <td class="num">{format::count(progress)}</td>
                <td class="num wide">{age}</td>
            </tr>
        }
    };
    view! {
        <header>
            <h2 id="agents-title">"Agents and feeds"</h2>
        </header>
        <div class="body">
            <table data-testid="agents">
                <thead>
                    <tr>
                        <th scope="col">"Agent"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="num">
                            "Progress"
                        </th>
                        <th scope="col" class="num wide">
                            "Last report, s ago"
                        </th>
                    </tr>
                </thead>
                <tbody>{move || agents.get().into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

/// An agent's name for people.
fn agent_name(agent: &str) -> &str {
    match agent {
        "auth" => "Users and sessions",
        "gateway" => "Gateway",
        "market_data" => "Market data feed",
        "portfolio" => "Portfolio",
        "trading" => "Trading",
        other => other,
    }
}
