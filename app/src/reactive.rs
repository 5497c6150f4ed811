//! Signals, memos and effects as Leptos has them, compiled once: values and
//! closures stand behind pointers, because Leptos's own bring a copy of their
//! machinery for every type of value, all of which browsers would download.
//!
//! Does not know what is kept or derived.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use leptos::prelude::{
    Effect, Get, GetUntracked, GetValue, Memo as Counter, Notify, StoredValue as Place, Track,
};
use leptos::reactive::signal::ArcTrigger;

/// A value that tells when it was set. A handle: copies share everything.
pub struct RwSignal<T> {
    slot: Place<Arc<Slot>>,
    of: PhantomData<fn() -> T>,
}

/// A value derived from others, which tells when it changed. A handle.
pub struct Memo<T> {
    changes: Counter<u32>,
    slot: Place<Arc<Slot>>,
    of: PhantomData<fn() -> T>,
}

/// A value made anew whenever it is read, of whatever signals it is made of. A
/// handle.
pub struct Signal<T> {
    make: Place<CandleHistory>,
    of: PhantomData<fn() -> T>,
}

/// A value that tells nobody when it was set. A handle.
pub struct StoredValue<T> {
    kept: Place<CandleHistory>,
    of: PhantomData<fn() -> T>,
}

/// Something of any type.
type CandleHistory = Arc<dyn Any + Send + Sync>;

/// What makes a value.
type Make<T> = Box<dyn Fn() -> T + Send + Sync>;

/// A value of any type, in a lock, and who wants to know of it.
struct Slot {
    value: CandleHistory,
    set: ArcTrigger,
}

impl Slot {
    fn keep(value: CandleHistory) -> Place<Arc<Self>> {
        Place::new(Arc::new(Self { value, set: ArcTrigger::new() }))
    }

    fn lock<T: Send + Sync + 'static>(&self) -> &RwLock<T> {
        lock(&self.value)
    }
}

fn lock<T: Send + Sync + 'static>(kept: &CandleHistory) -> &RwLock<T> {
    let lock = kept.downcast_ref();
    lock.unwrap_or_else(|| unreachable!("handles carry the type of what they keep"))
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send + Sync + 'static> RwSignal<T> {
    /// A signal of `value`.
    pub fn new(value: T) -> Self {
        Self { slot: Slot::keep(Arc::new(RwLock::new(value))), of: PhantomData }
    }

    /// Follows it without reading it.
    pub fn track(self) {
        track(self.slot);
    }

    /// Reads it where it is, and follows it.
    pub fn with<U>(self, look: impl FnOnce(&T) -> U) -> U {
        self.track();
        self.with_untracked(look)
    }

    /// Reads it where it is.
    pub fn with_untracked<U>(self, look: impl FnOnce(&T) -> U) -> U {
        look(&read(slot(self.slot).lock::<T>()))
    }

    /// Changes it, and tells those who follow. What is gone with its screen
    /// stays as it was.
    pub fn update(self, change: impl FnOnce(&mut T)) {
        if let Some(slot) = kept(self.slot) {
            change(&mut write(slot.lock::<T>()));
            slot.set.notify();
        }
    }

    /// Sets it, and tells those who follow.
    pub fn set(self, value: T) {
        self.update(|kept| *kept = value);
    }

    /// A copy, followed.
    pub fn get(self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// A copy.
    pub fn get_untracked(self) -> T
    where
        T: Clone,
    {
        self.with_untracked(T::clone)
    }
}

impl<T: PartialEq + Send + Sync + 'static> Memo<T> {
    /// What `of` makes of its last value and of what it reads.
    pub fn new(of: impl Fn(Option<&T>) -> T + Send + Sync + 'static) -> Self {
        let value = Arc::new(RwLock::new(None::<T>));
        let slot = Slot::keep(Arc::<RwLock<Option<T>>>::clone(&value));
        let renew = move || {
            let new = of(read(&value).as_ref());
            let mut kept = write(&value);
            let changed = kept.as_ref() != Some(&new);
            *kept = Some(new);
            changed
        };
        Self { changes: counter(Box::new(renew)), slot, of: PhantomData }
    }

    /// Reads it where it is, and follows it.
    pub fn with<U>(self, look: impl FnOnce(&T) -> U) -> U {
        let _ = self.changes.get();
        self.look(look)
    }

    /// Reads it where it is.
    pub fn with_untracked<U>(self, look: impl FnOnce(&T) -> U) -> U {
        let _ = self.changes.get_untracked();
        self.look(look)
    }

    fn look<U>(self, look: impl FnOnce(&T) -> U) -> U {
        match read(slot(self.slot).lock::<Option<T>>()).as_ref() {
            Some(value) => look(value),
            None => unreachable!("whoever counts changes has the value made"),
        }
    }

    /// Follows it without reading it.
    pub fn track(self) {
        let _ = self.changes.get();
    }

    /// A copy, followed.
    pub fn get(self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// A copy.
    pub fn get_untracked(self) -> T
    where
        T: Clone,
    {
        self.with_untracked(T::clone)
    }
}

impl<T: 'static> Signal<T> {
    /// What `make` makes.
    pub fn derive(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let make: Make<T> = Box::new(make);
        Self { make: keep(Arc::new(make)), of: PhantomData }
    }

    /// The value, and whoever reads it here follows what it is made of.
    pub fn get(self) -> T {
        match self.make.get_value().downcast_ref::<Make<T>>() {
            Some(make) => make(),
            None => unreachable!("handles carry the type of what they keep"),
        }
    }

    /// Reads it, and follows what it is made of.
    pub fn with<U>(self, look: impl FnOnce(&T) -> U) -> U {
        look(&self.get())
    }
}

impl<T: Send + Sync + 'static> StoredValue<T> {
    /// Keeps `value`.
    pub fn new(value: T) -> Self {
        Self { kept: keep(Arc::new(RwLock::new(value))), of: PhantomData }
    }

    /// Reads it where it is.
    pub fn with_value<U>(self, look: impl FnOnce(&T) -> U) -> U {
        look(&read(lock(&self.kept.get_value())))
    }

    /// Changes it; `None` where it is gone with its screen.
    pub fn try_update_value<U>(self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        Some(change(&mut write(lock(&there(self.kept)?))))
    }

    /// Changes it, unless it is gone with its screen.
    pub fn update_value(self, change: impl FnOnce(&mut T)) {
        self.try_update_value(change);
    }

    /// Sets it, unless it is gone with its screen; whether it was there.
    pub fn try_set_value(self, value: T) -> bool {
        self.try_update_value(|kept| *kept = value).is_some()
    }

    /// Sets it, unless it is gone with its screen.
    pub fn set_value(self, value: T) {
        self.try_set_value(value);
    }

    /// A copy.
    pub fn get_value(self) -> T
    where
        T: Clone,
    {
        self.with_value(T::clone)
    }

    /// A copy; `None` where it is gone with its screen.
    pub fn try_get_value(self) -> Option<T>
    where
        T: Clone,
    {
        Some(T::clone(&read(lock(&there(self.kept)?))))
    }
}

// What follows is the same for every type, and so compiled once.

fn there(kept: Place<CandleHistory>) -> Option<CandleHistory> {
    kept.try_get_value()
}

fn keep(value: CandleHistory) -> Place<CandleHistory> {
    Place::new(value)
}

fn slot(slot: Place<Arc<Slot>>) -> Arc<Slot> {
    slot.get_value()
}

fn kept(slot: Place<Arc<Slot>>) -> Option<Arc<Slot>> {
    slot.try_get_value()
}

fn track(slot: Place<Arc<Slot>>) {
    slot.get_value().set.track();
}

fn counter(renew: Box<dyn Fn() -> bool + Send + Sync>) -> Counter<u32> {
    Counter::new(move |count: Option<&u32>| {
        let count = count.copied().unwrap_or(0);
        if renew() { count.wrapping_add(1) } else { count }
    })
}

fn start(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_| run());
}

/// A memo that does not look at its last value.
pub fn memo<T>(of: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| of())
}

/// Runs in the browser, at first and whenever a signal that it reads changed.
pub fn effect(run: impl FnMut() + 'static) {
    start(Box::new(run));
}

/// A handle is copied whatever it leads to.
macro_rules! handles {
    ($($handle:ident),+) => {$(
        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $handle<T> {}
    )+};
}

handles!(RwSignal, Memo, StoredValue, Signal);

impl<T> PartialEq for RwSignal<T> {
    fn eq(&self, other: &Self) -> bool {
        self.slot == other.slot
    }
}

impl<T> Eq for RwSignal<T> {}

impl<T> PartialEq for StoredValue<T> {
    fn eq(&self, other: &Self) -> bool {
        self.kept == other.kept
    }
}

impl<T> Eq for StoredValue<T> {}

impl<T: Default + 'static> Default for Signal<T> {
    fn default() -> Self {
        Self::derive(T::default)
    }
}

impl<T: 'static, F: Fn() -> T + Send + Sync + 'static> From<F> for Signal<T> {
    fn from(make: F) -> Self {
        Self::derive(make)
    }
}

impl<T: Clone + Send + Sync + 'static> From<RwSignal<T>> for Signal<T> {
    fn from(signal: RwSignal<T>) -> Self {
        Signal::derive(move || signal.get())
    }
}

impl<T: Clone + PartialEq + Send + Sync + 'static> From<Memo<T>> for Signal<T> {
    fn from(memo: Memo<T>) -> Self {
        Signal::derive(move || memo.get())
    }
}

#[cfg(test)]
mod tests {
    use leptos::prelude::Owner;

    use super::*;

    #[test]
    fn a_memo_follows_and_counts_only_changes() {
        Owner::new().with(|| {
            let number = RwSignal::new(3);
            let parity = memo(move || number.get() % 2);
            let seen = Memo::new(move |before: Option<&u32>| {
                parity.get();
                before.map_or(1, |times| times + 1)
            });
            assert_eq!((parity.get(), seen.get()), (1, 1));
            number.set(5);
            // Still odd: whoever reads the memo is not run again.
            assert_eq!((parity.get(), seen.get()), (1, 1));
            number.update(|number| *number += 1);
            assert_eq!((parity.get_untracked(), seen.get()), (0, 2));
        });
    }

    #[test]
    fn what_is_gone_with_its_owner_is_set_in_vain() {
        let owner = Owner::new();
        let (signal, stored) = owner.with(|| (RwSignal::new(1), StoredValue::new(1)));
        stored.update_value(|value| *value += 1);
        assert_eq!((stored.get_value(), stored.try_set_value(3)), (2, true));
        assert_eq!(Signal::from(signal).get(), 1);
        drop(owner);
        signal.set(2);
        assert_eq!((stored.try_get_value(), stored.try_set_value(4)), (None, false));
    }
}
