//! The venue's clock: state, pause, speed, steps.
//!
//! Venue time comes with the market; mode and speed are read with the page's other
//! figures.

use engine::decimal::Decimal;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use protocol::rest::{ClockCommand, ClockState};

use crate::api::{self, ControlOverview};
use crate::format;
use crate::layout::Hydrated;
use crate::live::Live;

/// Speeds that are one press away, in thousandths.
const SPEEDS_MILLI: [u64; 6] = [500, 1_000, 2_000, 10_000, 60_000, 600_000];

/// Numbers of steps that are one press away.
const STEPS: [u32; 3] = [1, 10, 600];

/// The page's figures and the command under way. A handle.
#[derive(Clone, Copy)]
struct Controls {
    overview: RwSignal<ControlOverview>,
    command: Action<ClockCommand, ()>,
    problem: RwSignal<Option<String>>,
    disabled: Memo<bool>,
}

impl Controls {
    fn new(overview: RwSignal<ControlOverview>) -> Self {
        let Hydrated(hydrated) = expect_context();
        let problem = RwSignal::new(None);
        let command = Action::new(move |command: &ClockCommand| {
            let command = command.clone();
            async move {
                match api::set_clock(command).await {
                    Ok(clock) => {
                        overview.try_update(|overview| overview.clock = clock);
                        problem.try_set(None);
                    }
                    Err(error) => {
                        problem.try_set(Some(error.message));
                    }
                }
            }
        });
        let disabled = Memo::new(move |_| !hydrated.get() || command.pending().get());
        Self { overview, command, problem, disabled }
    }

    fn clock<T>(self, read: impl FnOnce(&ClockState) -> T) -> T {
        self.overview.with(|overview| read(&overview.clock))
    }

    /// Returns true if steps are made on request alone.
    fn is_on_request(self) -> bool {
        self.clock(|clock| matches!(clock.mode.as_str(), "paused" | "manual"))
    }
}

#[component]
pub(super) fn ClockPanel(live: Live, overview: RwSignal<ControlOverview>) -> impl IntoView {
    let controls = Controls::new(overview);
    let state = move || controls.clock(|clock| mode_word(&clock.mode));
    let speed = move || controls.clock(|clock| format::speed(clock.speed_milli));
    let reached = move || controls.clock(|clock| format::speed(clock.speed_reached_milli));
    let step = move || controls.clock(|clock| format::count(clock.step));
    view! {
        <header>
            <h2 id="clock-title">"Clock"</h2>
        </header>
        <div class="body" data-mode=move || controls.clock(|clock| clock.mode.clone()) data-testid="clock">
            <dl class="facts">
                <div>
                    <dt>"State"</dt>
                    <dd data-testid="clock-state">{state}</dd>
                </div>
                <div>
                    <dt>"Venue time"</dt>
                    <dd class="num" data-testid="clock-time">
                        {move || live.preferences.moment(live.moment.get().time)}
                    </dd>
                </div>
                <div>
                    <dt>"Step"</dt>
                    <dd class="num" data-testid="clock-step">
                        {step}
                    </dd>
                </div>
                <div>
                    <dt>"Speed"</dt>
                    <dd class="num" data-testid="clock-speed">
                        {speed}
                    </dd>
                </div>
                <div>
                    <dt>"Reached"</dt>
                    <dd class="num" data-testid="clock-reached">
                        {reached}
                    </dd>
                </div>
            </dl>
            <RunButtons controls />
            <SpeedButtons controls />
            <StepButtons controls />
            <p class="beside" role="alert" data-testid="clock-problem">
                {move || {
                    controls.problem.get().map(|text| view! { <span class="problem">{text}</span> })
                }}
            </p>
        </div>
    }
}

/// Pause or resume; a clock that was started by hand does neither.
#[component]
fn RunButtons(controls: Controls) -> impl IntoView {
    let mode = move || controls.clock(|clock| clock.mode.clone());
    let press = move |_| {
        let is_paused = controls.clock(|clock| clock.mode == "paused");
        let command = if is_paused { ClockCommand::Resume {} } else { ClockCommand::Pause {} };
        controls.command.dispatch(command);
    };
    view! {
        <div class="row" hidden=move || mode() == "manual">
            <button
                type="button"
                class="primary"
                disabled=move || controls.disabled.get()
                data-testid="clock-toggle"
                on:click=press
            >
                {move || if mode() == "paused" { "Resume" } else { "Pause" }}
            </button>
        </div>
        <p class="note" hidden=move || mode() != "manual">
            "This venue was started with a manual clock: it moves by steps alone."
        </p>
    }
}

#[component]
fn SpeedButtons(controls: Controls) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let set = move |speed_milli: u64| {
        controls.command.dispatch(ClockCommand::Speed { speed_milli });
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        match parse_speed(&typed.get_untracked()) {
            Some(speed_milli) => set(speed_milli),
            None => controls.problem.set(Some("Enter a speed from 0.001 to 1,000.".to_owned())),
        }
    };
    let button = move |speed_milli: u64| {
        let is_current = move || controls.clock(|clock| clock.speed_milli == speed_milli);
        view! {
            <button
                type="button"
                class="small"
                aria-pressed=move || is_current().to_string()
                disabled=move || controls.disabled.get()
                data-testid=format!("speed-{speed_milli}")
                on:click=move |_| set(speed_milli)
            >
                {format::speed(speed_milli)}
            </button>
        }
    };
    view! {
        <form class="row" on:submit=submit hidden=move || controls.clock(|clock| clock.mode == "manual")>
            <span class="label" id="speed-label">
                "Speed"
            </span>
            {SPEEDS_MILLI.map(button).collect_view()}
            <input
                type="text"
                inputmode="decimal"
                autocomplete="off"
                aria-label="Another speed: venue seconds a second"
                placeholder="other"
                data-testid="speed-other"
                prop:value=move || typed.get()
                on:input=move |event| typed.set(event_target_value(&event))
            />
            <button class="small" disabled=move || controls.disabled.get() data-testid="speed-set">
                "Set speed"
            </button>
        </form>
    }
}

#[component]
fn StepButtons(controls: Controls) -> impl IntoView {
    let button = move |steps: u32| {
        view! {
            <button
                type="button"
                class="small"
                disabled=move || controls.disabled.get() || !controls.is_on_request()
                data-testid=format!("step-{steps}")
                on:click=move |_| {
                    controls.command.dispatch(ClockCommand::Step { steps });
                }
            >
                {match steps {
                    1 => "1 step".to_owned(),
                    steps => format!("{steps} steps"),
                }}
            </button>
        }
    };
    view! {
        <div class="row">
            <span class="label">"Step"</span>
            {STEPS.map(button).collect_view()}
            <span class="note" hidden=move || controls.is_on_request()>
                "Pause the clock to step it."
            </span>
        </div>
    }
}

/// A mode of the clock in words.
fn mode_word(mode: &str) -> &'static str {
    match mode {
        "paused" => "Paused",
        "manual" => "By steps",
        "idle" => "Idle: nobody is watching",
        _ => "Running",
    }
}

/// A speed as typed, with or without its `×`, in thousandths.
fn parse_speed(text: &str) -> Option<u64> {
    let number = Decimal::parse(text.trim().trim_start_matches(['×', 'x']).trim()).ok()?;
    let speed_milli = u64::try_from(number.in_units_of(Decimal::new(1, 3))?).ok()?;
    (1..=1_000_000).contains(&speed_milli).then_some(speed_milli)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_typed_as_they_are_shown() {
        for (speed_milli, text) in
            [(1, "×0.001"), (500, "×0.5"), (1_000, "×1"), (60_000, "×60"), (1_000_000, "×1,000")]
        {
            assert_eq!(format::speed(speed_milli), text);
        }
        for (text, speed_milli) in [(" ×60 ", 60_000), ("x2", 2_000), ("0.5", 500), ("1000", 1_000_000)] {
            assert_eq!(parse_speed(text), Some(speed_milli), "{text}");
        }
        for text in ["", "0", "-1", "1001", "0.0001", "fast"] {
            assert_eq!(parse_speed(text), None, "{text}");
        }
    }

    #[test]
    fn every_mode_has_its_words() {
        let words = ["running", "paused", "manual", "idle"].map(mode_word);
        assert_eq!(words, ["Running", "Paused", "By steps", "Idle: nobody is watching"]);
    }
}
