//! A chart on a page: the server's picture, then canvases controlled by pointer,
//! wheel and keys.
//!
//! Changes the scene's window and the crosshair; the bars are its owner's.

use leptos::ev::{KeyboardEvent, PointerEvent, WheelEvent};
use leptos::html;
use leptos::prelude::*;
use protocol::bar::Bar;

use super::axes::within;
use super::scene::ChartScene;
use super::table::BarTable;

/// A chart on a page. A handle: copies share everything.
#[derive(Clone, Copy)]
pub struct Chart {
    pub(super) scene: StoredValue<ChartScene>,
    /// Counts changes of the scene.
    pub(super) version: RwSignal<u32>,
    /// Position of the crosshair.
    pub(super) cursor: RwSignal<Option<(f64, f64)>>,
    /// True if the table replaces the picture.
    pub table: RwSignal<bool>,
    /// Pointers that are down: id and last position.
    pointers: StoredValue<Vec<(i32, f64)>>,
}

impl Chart {
    /// A chart of `scene`.
    pub fn new(scene: ChartScene) -> Self {
        Self {
            scene: StoredValue::new(scene),
            version: RwSignal::new(0),
            cursor: RwSignal::new(None),
            table: RwSignal::new(false),
            pointers: StoredValue::new(Vec::new()),
        }
    }

    /// Changes the scene; it is redrawn if `change` returns true.
    pub fn change(self, change: impl FnOnce(&mut ChartScene) -> bool) {
        let mut changed = false;
        self.scene.update_value(|scene| changed = change(scene));
        if changed {
            self.version.update(|version| *version = version.wrapping_add(1));
        }
    }

    /// Reads the scene, untracked.
    pub fn read<T>(self, read: impl FnOnce(&ChartScene) -> T) -> T {
        self.scene.with_value(read)
    }

    fn moved(self, change: impl FnOnce(&mut ChartScene)) {
        self.change(|scene| {
            change(scene);
            true
        });
    }

    /// The bar under the crosshair, or the newest.
    fn read_bar(self) -> Option<Bar> {
        self.version.track();
        let cursor = self.cursor.get();
        self.scene.with_value(|scene| match cursor {
            Some((x, _)) => scene.bar_at(&scene.plot_area(), x).copied(),
            None => scene.bars.list().last().copied(),
        })
    }

    /// Moves the crosshair by whole bars.
    fn step(self, bars: f64) {
        let at = self.cursor.get_untracked();
        let next = self.scene.with_value(|scene| {
            let plot = scene.plot_area();
            let width = scene.bars.step_us() as f64 * plot.x.per_unit();
            let seen = scene.bars.list().get(plot.visible.clone())?;
            let last = scene.middle(&plot, seen.last()?);
            let x = at.map_or(last, |(x, _)| within(x + bars * width, 0.0, last));
            let bar = scene.bar_at(&plot, x)?;
            Some((scene.middle(&plot, bar), plot.y.at(bar.close as f64)))
        });
        self.cursor.set(next);
    }

    fn key(self, event: &KeyboardEvent) {
        let middle = self.scene.with_value(|scene| scene.size.0 / 2.0);
        match (event.key().as_str(), event.shift_key()) {
            ("ArrowLeft", true) => self.moved(|scene| scene.pan(60.0)),
            ("ArrowRight", true) => self.moved(|scene| scene.pan(-60.0)),
            ("ArrowLeft", false) => self.step(-1.0),
            ("ArrowRight", false) => self.step(1.0),
            ("+" | "=", _) => self.moved(|scene| scene.zoom(0.8, middle)),
            ("-" | "_", _) => self.moved(|scene| scene.zoom(1.25, middle)),
            ("Home" | "End", _) => self.moved(ChartScene::reset),
            ("Escape", _) if self.cursor.get_untracked().is_some() => self.cursor.set(None),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    }

    fn wheel(self, event: &WheelEvent) {
        event.prevent_default();
        let x = f64::from(event.offset_x());
        if event.shift_key() || event.delta_x() != 0.0 {
            let by = if event.delta_x() != 0.0 { event.delta_x() } else { event.delta_y() };
            self.moved(|scene| scene.pan(-by));
        } else {
            self.moved(|scene| scene.zoom(if event.delta_y() > 0.0 { 1.15 } else { 1.0 / 1.15 }, x));
        }
    }

    fn press(self, event: &PointerEvent) {
        self.pointers.update_value(|down| down.push((event.pointer_id(), f64::from(event.client_x()))));
    }

    /// One pointer drags the window, two zoom it, none moves the crosshair.
    fn drag(self, event: &PointerEvent) {
        let x = f64::from(event.client_x());
        let mut down = self.pointers.get_value();
        match down.iter().position(|(id, _)| *id == event.pointer_id()) {
            None => self.cursor.set(Some((f64::from(event.offset_x()), f64::from(event.offset_y())))),
            Some(at) => {
                let before = down[at].1;
                if let [one, other] = down.as_slice() {
                    let still = if at == 0 { other.1 } else { one.1 };
                    let (was, is) = ((before - still).abs().max(1.0), (x - still).abs().max(1.0));
                    self.moved(|scene| scene.zoom(was / is, scene.size.0 / 2.0));
                } else {
                    self.moved(|scene| scene.pan(x - before));
                }
                down[at].1 = x;
                self.pointers.set_value(down);
            }
        }
    }

    fn release(self, event: &PointerEvent) {
        self.pointers.update_value(|down| down.retain(|(id, _)| *id != event.pointer_id()));
    }
}

/// A chart: picture, legend, crosshair; or its table.
#[component]
pub fn ChartView(
    chart: Chart,
    /// Accessible name.
    #[prop(into)]
    label: Signal<String>,
    /// Name in the legend.
    #[prop(optional)]
    name: Option<Signal<String>>,
    /// Test id.
    testid: &'static str,
) -> impl IntoView {
    view! {
        <Show when=move || chart.table.get() fallback=move || view! { <Plot chart label name testid /> }>
            <BarTable chart />
        </Show>
    }
}

#[component]
fn Plot(
    chart: Chart,
    label: Signal<String>,
    name: Option<Signal<String>>,
    testid: &'static str,
) -> impl IntoView {
    let plot = NodeRef::<html::Canvas>::new();
    let over = NodeRef::<html::Canvas>::new();
    #[cfg(target_arch = "wasm32")]
    Effect::new(move |attached: Option<bool>| {
        let (Some(plot), Some(over)) = (plot.get(), over.get()) else { return false };
        if attached != Some(true) {
            super::surface::attach(chart, plot, over);
        }
        true
    });
    #[cfg(feature = "ssr")]
    let picture = chart.scene.with_value(super::draw::svg);
    // The browser keeps the server's picture.
    #[cfg(not(feature = "ssr"))]
    let picture = String::new();
    view! {
        <div
            class="plot"
            tabindex="0"
            role="application"
            aria-roledescription="chart"
            aria-label=move || format!("{}. Arrow keys read it bar by bar; plus and minus zoom.", label.get())
            data-testid=testid
            data-bars=move || {
                chart.version.track();
                chart.scene.with_value(|scene| scene.bars.list().len()).to_string()
            }
            on:keydown=move |event| chart.key(&event)
            on:wheel=move |event| chart.wheel(&event)
            on:pointerdown=move |event| chart.press(&event)
            on:pointermove=move |event| chart.drag(&event)
            on:pointerup=move |event| chart.release(&event)
            on:pointercancel=move |event| chart.release(&event)
            on:pointerleave=move |event| {
                chart.release(&event);
                chart.cursor.set(None);
            }
        >
            <div class="picture" aria-hidden="true" inner_html=picture></div>
            <canvas node_ref=plot aria-hidden="true"></canvas>
            <canvas node_ref=over aria-hidden="true"></canvas>
            <Legend chart name testid />
            <p class="empty">"Nothing to draw yet."</p>
        </div>
    }
}

/// The figures of the bar under the crosshair, or of the newest.
#[component]
fn Legend(chart: Chart, name: Option<Signal<String>>, testid: &'static str) -> impl IntoView {
    let bar = Memo::new(move |_| chart.read_bar());
    let text = move || {
        let bar = bar.get()?;
        Some(chart.scene.with_value(|scene| scene.legend(&bar)))
    };
    view! {
        <p class="legend num" data-testid=format!("{testid}-legend")>
            {name.map(|name| view! { <span class="of">{move || name.get()}</span> })}
            {text}
        </p>
    }
}
