//! Fields that several forms share, and the server's answer to the form sent
//! before.
//!
//! Do not know where a form goes.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::problem::{FormProblem, problem};

/// The answer to the form sent before, read from the query of the URL.
#[derive(Clone)]
pub(super) struct FormAnswer {
    problem: Option<FormProblem>,
    email: String,
    next: Option<String>,
    pub(super) token: String,
    /// True if a new password was just set.
    pub(super) password_set: bool,
}

impl FormAnswer {
    pub(super) fn read() -> Self {
        let query = use_query_map().get_untracked();
        Self {
            problem: query.get_str("error").map(problem),
            email: query.get("email").unwrap_or_default(),
            next: query.get("next").filter(|next| next != "/"),
            token: query.get("token").unwrap_or_default(),
            password_set: query.get_str("notice") == Some("password_set"),
        }
    }

    /// The problem of `field`, or of the form as a whole.
    pub(super) fn problem_of(&self, field: Option<&str>) -> Option<&'static str> {
        self.problem.filter(|problem| problem.field == field).map(|problem| problem.text)
    }
}

/// The refusal of the form as a whole.
#[component]
pub(super) fn FormAlert(answer: FormAnswer) -> impl IntoView {
    answer.problem_of(None).map(|text| {
        view! {
            <p class="problem form-problem" role="alert" data-testid="form-error">
                {text}
            </p>
        }
    })
}

/// The refusal of one field, below it.
#[component]
pub(super) fn FieldProblem(
    text: Option<&'static str>,
    id: &'static str,
    testid: &'static str,
) -> impl IntoView {
    text.map(|text| {
        view! {
            <p class="problem" id=id data-testid=testid>
                {text}
            </p>
        }
    })
}

/// The path to go to after signing in; the server accepts its own paths alone.
#[component]
pub(super) fn NextField(answer: FormAnswer) -> impl IntoView {
    answer.next.map(|next| view! { <input type="hidden" name="next" value=next /> })
}

#[component]
pub(super) fn EmailField(answer: FormAnswer) -> impl IntoView {
    let problem = answer.problem_of(Some("email"));
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
            <FieldProblem text=problem id="email-problem" testid="email-error" />
        </div>
    }
}

#[component]
pub(super) fn PasswordField(
    answer: FormAnswer,
    autocomplete: &'static str,
    #[prop(optional)] hint: &'static str,
) -> impl IntoView {
    let problem = answer.problem_of(Some("password"));
    let hint = (problem.is_none() && !hint.is_empty()).then_some(hint);
    let described_by = problem.map(|_| "password-problem").or(hint.map(|_| "password-hint"));
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
                aria-describedby=described_by
                data-testid="password"
            />
            <FieldProblem text=problem id="password-problem" testid="password-error" />
            {hint
                .map(|text| {
                    view! {
                        <p class="hint" id="password-hint">
                            {text}
                        </p>
                    }
                })}
        </div>
    }
}
