//! Routes whose code is loaded when a page needs it: all but the sign-in forms,
//! which are part of the main module.
//!
//! Know no paths; `App` does.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::layout::AuthenticatedPage;
use crate::screens::account::AccountScreen;
use crate::screens::control::ControlScreen;
use crate::screens::portfolio::PortfolioScreen;
use crate::screens::trade::TradeScreen;

/// Layout of the screens that need a user.
pub(crate) struct AuthenticatedRoute;

#[lazy_route]
impl LazyRoute for AuthenticatedRoute {
    fn data() -> Self {
        Self
    }

    fn view(_route: Self) -> AnyView {
        view! { <AuthenticatedPage /> }.into_any()
    }
}

/// The trading screen.
pub(crate) struct TradeRoute;

#[lazy_route]
impl LazyRoute for TradeRoute {
    fn data() -> Self {
        Self
    }

    fn view(_route: Self) -> AnyView {
        view! { <TradeScreen /> }.into_any()
    }
}

/// The portfolio screen.
pub(crate) struct PortfolioRoute;

#[lazy_route]
impl LazyRoute for PortfolioRoute {
    fn data() -> Self {
        Self
    }

    fn view(_route: Self) -> AnyView {
        view! { <PortfolioScreen /> }.into_any()
    }
}

/// The account page.
pub(crate) struct AccountRoute;

#[lazy_route]
impl LazyRoute for AccountRoute {
    fn data() -> Self {
        Self
    }

    fn view(_route: Self) -> AnyView {
        view! { <AccountScreen /> }.into_any()
    }
}

/// The page of the venue's owner.
pub(crate) struct ControlRoute;

#[lazy_route]
impl LazyRoute for ControlRoute {
    fn data() -> Self {
        Self
    }

    fn view(_route: Self) -> AnyView {
        view! { <ControlScreen /> }.into_any()
    }
}
