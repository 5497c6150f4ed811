//! Fields that several forms share, and the server's answer to the form sent
//! before.
//!
//! Do not know where a form goes.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::problem::{FormProblem, problem};

/// The answer to the form sent before, read from the query of the URL.
#[derive(Clone)]
pub(crate) struct FormAnswer {
    problem: Option<FormProblem>,
    email: String,
    name: String,
    next: Option<String>,
    pub(super) token: String,
    /// Key of the good news, if there is any.
    notice: Option<String>,
}

impl FormAnswer {
    pub(in crate::screens) fn read() -> Self {
        let query = use_query_map().get_untracked();
        Self {
            problem: query.get_str("error").map(problem),
            email: query.get("email").unwrap_or_default(),
            name: query.get("name").unwrap_or_default(),
            next: query.get("next").filter(|next| next != "/"),
            token: query.get("token").unwrap_or_default(),
            notice: query.get("notice"),
        }
    }

    /// Returns true if the server sent the notice `key`.
    pub(in crate::screens) fn has_notice(&self, key: &str) -> bool {
        self.notice.as_deref() == Some(key)
    }

    /// The same answer with `name` in the field of the display name, unless the server
    /// sent one back.
    pub(in crate::screens) fn with_name(mut self, name: String) -> Self {
        if self.name.is_empty() {
            self.name = name;
        }
        self
    }

    /// The problem of `field`, or of the form as a whole.
    pub(super) fn problem_of(&self, field: Option<&str>) -> Option<&'static str> {
        self.problem.filter(|problem| problem.field == field).map(|problem| problem.text)
    }
}

/// The refusal of the form as a whole.
#[component]
pub(in crate::screens) fn FormAlert(answer: FormAnswer) -> impl IntoView {
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
pub(super) fn FieldProblem(text: Option<&'static str>, id: String, testid: String) -> impl IntoView {
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

/// A display name, with the server's problem unless it belongs to another form of the
/// page.
#[component]
pub(in crate::screens) fn NameField(
    answer: FormAnswer,
    id: &'static str,
    label: &'static str,
    #[prop(optional)] required: bool,
    #[prop(optional)] hides_answer: bool,
) -> impl IntoView {
    let problem = answer.problem_of(Some("name")).filter(|_| !hides_answer);
    let value = if hides_answer { String::new() } else { answer.name };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id
                name="name"
                type="text"
                autocomplete="nickname"
                required=required
                maxlength="40"
                value=value
                aria-invalid=problem.map(|_| "true")
                aria-describedby=problem.map(|_| format!("{id}-problem"))
                data-testid=id
            />
            <FieldProblem text=problem id=format!("{id}-problem") testid=format!("{id}-error") />
        </div>
    }
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
            <FieldProblem text=problem id="email-problem".to_owned() testid="email-error".to_owned() />
        </div>
    }
}

/// A password: `name` is that of the field in the form, and its id.
#[component]
pub(in crate::screens) fn PasswordField(
    answer: FormAnswer,
    autocomplete: &'static str,
    #[prop(default = "password")] name: &'static str,
    #[prop(default = "Password")] label: &'static str,
    #[prop(optional)] hint: &'static str,
) -> impl IntoView {
    let problem = answer.problem_of(Some(name));
    let hint = (problem.is_none() && !hint.is_empty()).then_some(hint);
    let (problem_id, hint_id) = (format!("{name}-problem"), format!("{name}-hint"));
    let described_by = problem.map(|_| problem_id.clone()).or(hint.map(|_| hint_id.clone()));
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type="password"
                autocomplete=autocomplete
                required
                aria-invalid=problem.map(|_| "true")
                aria-describedby=described_by
                data-testid=name
            />
            <FieldProblem text=problem id=problem_id testid=format!("{name}-error") />
            {hint
                .map(|text| {
                    view! {
                        <p class="hint" id=hint_id>
                            {text}
                        </p>
                    }
                })}
        </div>
    }
}
