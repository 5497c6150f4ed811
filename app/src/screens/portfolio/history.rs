//! Chart of NAV over venue time with its drawdown: the stored history, then the
//! portfolio agent's newest values.
//!
//! The sums are `protocol::nav_history`'s; values nothing itself.

use engine::decimal::Decimal;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::nav_history::{Drawdown, NavHistory, NavRange};

use crate::api::{self, PageData};
use crate::chart::{Bars, Chart, ChartScene, ChartView, Lower, Style};
use crate::format;
use crate::live::Live;
use crate::live::connection::ConnectionPhase;
use crate::live::state::AgentNav;

/// One cent: the unit of the chart.
const CENT: Decimal = Decimal::new(1, 2);

/// The panel, once the history is loaded.
#[component]
pub(super) fn NavPanel(live: Live) -> impl IntoView {
    let opening: PageData<NavHistory> =
        PageData::new_with_options(|| (), |()| api::read_nav_history(NavRange::default()), true);
    view! {
        <Suspense>
            {move || Suspend::new(async move { view! { <NavChart live opening=opening.await.ok() /> } })}
        </Suspense>
    }
}

/// A chart and its history; `None` if that could not be read.
#[derive(Clone, Copy)]
struct NavView {
    live: Live,
    chart: Chart,
    range: RwSignal<NavRange>,
    history: RwSignal<Option<NavHistory>>,
}

#[component]
fn NavChart(live: Live, opening: Option<NavHistory>) -> impl IntoView {
    let chart = Chart::new(scene(opening.as_ref(), live.preferences.zone_us()));
    let range = RwSignal::new(opening.as_ref().map_or_else(NavRange::default, NavHistory::range));
    let nav = NavView { live, chart, range, history: RwSignal::new(opening) };
    Effect::new(move || nav.follow(live.agent_nav.get()));
    Effect::new(move |before: Option<bool>| {
        let broken = live
            .link
            .with(|link| matches!(link.phase, ConnectionPhase::Stale | ConnectionPhase::Reconnecting));
        let missing = before.is_none() && nav.history.with_untracked(Option::is_none);
        if missing || (before == Some(true) && !broken) {
            nav.read();
        }
        broken
    });
    Effect::new(move || {
        let zone_us = live.preferences.zone_us();
        nav.history.with(|history| chart.change(|scene| show(scene, history.as_ref(), zone_us)));
    });
    let choose = move |chosen: NavRange| {
        if range.get_untracked() != chosen {
            range.set(chosen);
            nav.read();
        }
    };
    let buttons = NavRange::ALL.map(|one| {
        view! {
            <button
                type="button"
                class="small"
                aria-pressed=move || (range.get() == one).to_string()
                data-testid=format!("history-{}", one.word().to_ascii_lowercase())
                on:click=move |_| choose(one)
            >
                {one.word()}
            </button>
        }
    });
    let currency = live.currency();
    let about = format!("Net asset value in {currency} and drawdown");
    view! {
        <section class="panel history" aria-labelledby="history-title">
            <header>
                <h2 id="history-title">"NAV and drawdown " <span class="unit">{currency}</span></h2>
                <div class="tools">
                    <div class="ranges" role="group" aria-label="Time range">
                        {buttons.collect_view()}
                    </div>
                    <button type="button" class="small" data-testid="history-fit" on:click=move |_| nav.fit()>
                        "Fit"
                    </button>
                    <button
                        type="button"
                        class="small"
                        aria-pressed=move || chart.table.get().to_string()
                        data-testid="history-as-table"
                        on:click=move |_| chart.table.update(|table| *table = !*table)
                    >
                        "Table"
                    </button>
                </div>
            </header>
            <Facts history=nav.history />
            <ChartView chart label=Signal::stored(about) testid="history" />
        </section>
    }
}

/// The history's P&L, peak and drawdowns.
#[component]
fn Facts(history: RwSignal<Option<NavHistory>>) -> impl IntoView {
    let fact = move |head: &'static str, testid: &'static str, read: fn(&NavHistory) -> String| {
        let text =
            move || history.with(|history| history.as_ref().map_or_else(|| format::ABSENT.to_owned(), read));
        view! {
            <div>
                <dt>{head}</dt>
                <dd class="num" data-testid=testid>
                    {text}
                </dd>
            </div>
        }
    };
    view! {
        <dl class="standing">
            {fact(
                "P&L since the start",
                "history-pnl",
                |history| format::signed_cents(history.newest() - history.paid_in()),
            )}
            {fact("Highest NAV", "history-peak", |history| format::cents(history.peak()))}
            {fact("Drawdown now", "history-drawdown", |history| drawdown(history.drawdown()))}
            {fact("Deepest drawdown", "history-worst", |history| drawdown(history.max_drawdown()))}
        </dl>
    }
}

/// `−0.052 % (−523.00)`.
fn drawdown(drawdown: Drawdown) -> String {
    format!("{} ({})", format::percent(drawdown.millionths()), format::signed_cents(-drawdown.below))
}

impl NavView {
    /// Takes the portfolio agent's newest value.
    fn follow(self, newest: AgentNav) {
        self.history.maybe_update(|history| {
            history.as_mut().is_some_and(|history| history.push(newest.time, newest.nav.to_cents()))
        });
    }

    /// Shows the whole range.
    fn fit(self) {
        self.chart.change(|scene| {
            scene.fit();
            true
        });
    }

    /// Reads the selected range, unless another is selected meanwhile. Values
    /// seen since the newest stored point are kept.
    fn read(self) {
        let range = self.range.get_untracked();
        spawn_local(async move {
            let answer = api::read_nav_history(range).await;
            if self.range.try_get_untracked() != Some(range) {
                return;
            }
            match answer {
                Ok(mut read) => {
                    let mut is_other_range = true;
                    self.history.update(|shown| {
                        if let Some(seen) = shown.as_ref() {
                            is_other_range = seen.range() != range;
                            match is_other_range {
                                true => read.merge_extremes(seen),
                                false => read.extend_with(seen),
                            }
                        }
                        *shown = Some(read);
                    });
                    if is_other_range {
                        self.fit();
                    }
                    self.follow(self.live.agent_nav.get_untracked());
                }
                Err(error) => {
                    self.live.announce(format!("NAV history could not be loaded: {}", error.message))
                }
            }
        });
    }
}

fn scene(history: Option<&NavHistory>, zone_us: i64) -> ChartScene {
    let mut scene = ChartScene::new(Bars::new(1, Vec::new()), CENT);
    (scene.style, scene.lower) = (Style::Line, Lower::Drawdown);
    scene.size = (1_200.0, 280.0);
    scene.fit();
    show(&mut scene, history, zone_us);
    scene
}

/// Puts `history` into the scene; returns true if the scene changed.
fn show(scene: &mut ChartScene, history: Option<&NavHistory>, zone_us: i64) -> bool {
    let Some(history) = history else {
        return std::mem::replace(&mut scene.zone_us, zone_us) != zone_us;
    };
    let before = scene.clone();
    scene.zone_us = zone_us;
    scene.bars = Bars::of_nav(history);
    (scene.base, scene.last) = (Some(history.paid_in()), Some(history.newest()));
    *scene != before
}
