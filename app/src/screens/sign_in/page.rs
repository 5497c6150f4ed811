//! The forms.

use engine::money::Money;
use leptos::prelude::*;
use leptos_meta::Title;

use super::words::{Problem, problem};
use crate::codec::PostcardCodec;
use crate::components::format;
use crate::place::query;
use protocol::gateway::{Caller, SharedGateway};

/// `/login`.
#[component]
pub(crate) fn SignIn() -> impl IntoView {
    welcome_back();
    let answer = Answer::read();
    view! {
        <Title text="Sign in" />
        <Gate heading="Sign in" lead="Welcome back to the floor." problem=answer.of(None)>
            <TryIt answer=answer.clone() />
            {answer
                .notice
                .then(|| {
                    view! {
                        <p class="lead" role="status" data-testid="notice">
                            "Your new password is set. Sign in with it."
                        </p>
                    }
                })}
            <form method="post" action="/login" data-testid="login-form">
                <Next answer=answer.clone() />
                <Email answer=answer.clone() />
                <Password answer=answer.clone() autocomplete="current-password" hint="" />
                <button class="primary" data-testid="submit">
                    "Sign in"
                </button>
            </form>
            <p class="other">
                "New here? "
                <a href="/register" rel="external">
                    "Open an account"
                </a>
            </p>
        </Gate>
    }
    .into_any()
}

/// `/register`.
#[component]
pub(crate) fn Register() -> impl IntoView {
    welcome_back();
    let answer = Answer::read();
    let balance = SharedValue::<Option<Money>, PostcardCodec>::new_with_encoding(|| {
        use_context::<SharedGateway>().map(|gateway| gateway.venue_info().starting_balance)
    })
    .into_inner();
    view! {
        <Title text="Open an account" />
        <Gate
            heading="Open an account"
            lead="A simulated market, real order books, no real money."
            problem=answer.of(None)
        >
            <TryIt answer=answer.clone() />
            <form method="post" action="/register" data-testid="register-form">
                {balance
                    .map(|balance| {
                        view! {
                            <p class="balance">
                                <span>"Starting balance"</span>
                                <strong class="num" data-testid="starting-balance">
                                    {format::money(balance)}
                                </strong>
                            </p>
                        }
                    })}
                <Next answer=answer.clone() />
                <Email answer=answer.clone() />
                <Password
                    answer=answer.clone()
                    autocomplete="new-password"
                    hint="At least 10 characters; a few unusual words are best."
                />
                <button class="primary" data-testid="submit">
                    "Open account"
                </button>
            </form>
            <p class="other">
                "Already registered? "
                <a href="/login" rel="external">
                    "Sign in"
                </a>
            </p>
        </Gate>
    }
    .into_any()
}

/// `/reset`: a new password for whoever was given a link.
#[component]
pub(crate) fn Reset() -> impl IntoView {
    let answer = Answer::read();
    view! {
        <Title text="New password" />
        <Gate
            heading="Set a new password"
            lead="The link works once. Wherever you are signed in, you will be signed out."
            problem=answer.of(None)
        >
            <form method="post" action="/reset" data-testid="reset-form">
                <input type="hidden" name="token" value=answer.token.clone() />
                <Password
                    answer=answer
                    autocomplete="new-password"
                    hint="At least 10 characters; a few unusual words are best."
                />
                <button class="primary" data-testid="submit">
                    "Set password"
                </button>
            </form>
        </Gate>
    }
    .into_any()
}

/// One press and one trades: a name, no address, no password.
#[component]
fn TryIt(answer: Answer) -> impl IntoView {
    let problem = answer.of(Some("name"));
    view! {
        <form class="try" method="post" action="/guest" data-testid="guest-form">
            <Next answer />
            <div class="field">
                <label for="name">"Just looking? Choose a name"</label>
                <input
                    id="name"
                    name="name"
                    type="text"
                    autocomplete="nickname"
                    required
                    maxlength="40"
                    aria-invalid=problem.map(|_| "true")
                    aria-describedby=problem.map(|_| "name-problem")
                    data-testid="guest-name"
                />
                {problem
                    .map(|text| {
                        view! {
                            <p class="problem" id="name-problem" data-testid="guest-name-error">
                                {text}
                            </p>
                        }
                    })}
            </div>
            <button data-testid="try-it">"Try it"</button>
        </form>
    }
    .into_any()
}

/// A guest's wish to stay, with the account as it is.
#[component]
pub(crate) fn Keep() -> impl IntoView {
    let answer = Answer::read();
    view! {
        <h2>"Keep this account"</h2>
        <p class="lead">
            "You are a guest in this browser alone. With an address and a password the account, and everything in it, stays yours."
        </p>
        {answer.of(None).map(|text| view! { <p class="problem form-problem" role="alert">{text}</p> }.into_any())}
        <form method="post" action="/account/keep" data-testid="keep-form">
            <Email answer=answer.clone() />
            <Password
                answer
                autocomplete="new-password"
                hint="At least 10 characters; a few unusual words are best."
            />
            <button class="primary" data-testid="submit">
                "Keep it"
            </button>
        </form>
    }
    .into_any()
}

/// Who is signed in already has no business at the gate.
fn welcome_back() {
    #[cfg(feature = "ssr")]
    if use_context::<Option<Caller>>().flatten().is_some() {
        leptos_axum::redirect("/");
    }
    #[cfg(not(feature = "ssr"))]
    let _ = use_context::<Option<Caller>>;
}

/// What the address says about the form sent before.
#[derive(Clone)]
struct Answer {
    problem: Option<Problem>,
    email: String,
    next: Option<String>,
    token: String,
    /// Whether a new password was just set.
    notice: bool,
}

impl Answer {
    fn read() -> Self {
        Self {
            problem: query("error").map(|code| problem(&code)),
            email: query("email").unwrap_or_default(),
            next: query("next").filter(|next| next != "/"),
            token: query("token").unwrap_or_default(),
            notice: query("notice").is_some_and(|notice| notice == "password_set"),
        }
    }

    /// The problem with `field`, or with the form as a whole.
    fn of(&self, field: Option<&str>) -> Option<&'static str> {
        self.problem.filter(|problem| problem.field == field).map(|problem| problem.text)
    }
}

#[component]
fn Gate(
    heading: &'static str,
    lead: &'static str,
    problem: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    view! {
        <main class="gate">
            <div class="card">
                <p class="brand">
                    <Logo />
                    "Tickhall"
                </p>
                <h1>{heading}</h1>
                <p class="lead">{lead}</p>
                {problem
                    .map(|text| {
                        view! {
                            <p class="problem form-problem" role="alert" data-testid="form-error">
                                {text}
                            </p>
                        }
                    })}
                {children()}
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn Logo() -> impl IntoView {
    view! {
        <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
            <path d="M5 4v16M5 8h3v7H5M12 2v20M10 6h4v9h-4zM19 6v14M17 10h4v6h-4z" />
        </svg>
    }
}

/// Where the server goes on to; it accepts nothing but a path of its own.
#[component]
fn Next(answer: Answer) -> impl IntoView {
    answer.next.map(|next| view! { <input type="hidden" name="next" value=next /> }.into_any())
}

#[component]
fn Email(answer: Answer) -> impl IntoView {
    let problem = answer.of(Some("email"));
    view! {
        <div class="field">
            <label for="email">"E-mail"</label>
            <input
                id="email"
                name="email"
                type="email"
                autocomplete="username"
                required
                maxlength="254"
                value=answer.email
                aria-invalid=problem.map(|_| "true")
                aria-describedby=problem.map(|_| "email-problem")
                data-testid="email"
            />
            {problem
                .map(|text| {
                    view! {
                        <p class="problem" id="email-problem" data-testid="email-error">
                            {text}
                        </p>
                    }
                })}
        </div>
    }
}

#[component]
fn Password(answer: Answer, autocomplete: &'static str, hint: &'static str) -> impl IntoView {
    let problem = answer.of(Some("password"));
    let described = match problem {
        Some(_) => Some("password-problem"),
        None => (!hint.is_empty()).then_some("password-hint"),
    };
    view! {
        <div class="field">
            <label for="password">"Password"</label>
            <input
                id="password"
                name="password"
                type="password"
                autocomplete=autocomplete
                required
                aria-invalid=problem.map(|_| "true")
                aria-describedby=described
                data-testid="password"
            />
            {match problem {
                Some(text) => {
                    view! {
                        <p class="problem" id="password-problem" data-testid="password-error">
                            {text}
                        </p>
                    }
                        .into_any()
                }
                None if !hint.is_empty() => {
                    view! {
                        <p class="hint" id="password-hint">
                            {hint}
                        </p>
                    }
                        .into_any()
                }
                None => ().into_any(),
            }}
        </div>
    }
}
