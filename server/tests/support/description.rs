//! The API's description of itself, and answers and requests held against it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::site::{Answer, Visitor};

/// The description of the server that was reached first: all have the same.
static DESCRIPTION: OnceCell<Description> = OnceCell::const_new();

pub struct Description {
    pub document: Value,
    /// By operation id, and status or `request`.
    validators: Mutex<HashMap<(String, String), Arc<Validator>>>,
}

impl Description {
    /// The description, if the server can be reached.
    pub async fn of(visitor: &Visitor) -> Option<&'static Self> {
        let fetch = || async {
            let path = format!("{}/api/v1/openapi.json", visitor.base);
            let document = visitor.client.get(path).send().await?.json().await?;
            Ok::<_, reqwest::Error>(Self { document, validators: Mutex::default() })
        };
        DESCRIPTION.get_or_try_init(fetch).await.ok()
    }

    /// Every operation, with its path and method.
    pub fn operations(&self) -> impl Iterator<Item = (&str, Method, &Value)> {
        self.document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| {
                (path.as_str(), method.to_uppercase().parse().unwrap(), operation)
            })
        })
    }

    /// The operation that answers `path`.
    pub fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let fits = |template: &str| {
            let (mut template, mut path) = (template.split('/'), path.split('/'));
            loop {
                match (template.next(), path.next()) {
                    (None, None) => return true,
                    (Some(parameter), Some(value)) if parameter.starts_with('{') && !value.is_empty() => {}
                    (Some(part), Some(value)) if part == value => {}
                    _ => return false,
                }
            }
        };
        let mut found = self.operations().filter(|(template, of, _)| of == method && fits(template));
        // A literal path comes before one with parameters.
        found.by_ref().min_by_key(|(template, ..)| template.contains('{')).map(|(.., operation)| operation)
    }

    /// Checks status, body and error code of an answer.
    pub fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let Some(operation) = self.operation(method, path) else { return };
        let status = answer.status.as_str();
        let response = &operation["responses"][status];
        assert!(!response.is_null(), "{method} {path}: {status} is not described: {}", answer.text);
        let Some(schema) = response["content"]["application/json"].get("schema") else {
            assert_eq!(answer.text, "", "{method} {path}: {status} has no body");
            return;
        };
        self.validate(operation, status, schema, &answer.json());
        if answer.status.as_u16() >= 400 {
            let code = format!("`{}`", answer.code());
            let codes = response["description"].as_str().unwrap();
            assert!(codes.contains(&code), "{method} {path}: {status} {code} is not described");
        }
    }

    /// Returns true if `body` is a request of `operation` as described.
    pub fn accepts(&self, operation: &Value, body: &Value) -> bool {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        self.validator(operation, "request", schema).is_valid(body)
    }

    fn validate(&self, operation: &Value, part: &str, schema: &Value, body: &Value) {
        if let Err(error) = self.validator(operation, part, schema).validate(body) {
            panic!("{} {part}: {error} at {}: {body}", operation["operationId"], error.instance_path());
        }
    }

    fn validator(&self, operation: &Value, part: &str, schema: &Value) -> Arc<Validator> {
        let key = (operation["operationId"].as_str().unwrap().to_owned(), part.to_owned());
        let make = || {
            let mut schema = schema.clone();
            schema["components"] = self.document["components"].clone();
            // Answers have no field that is not described.
            close(&mut schema["components"]["schemas"]);
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Arc::new(options.build(&schema).unwrap())
        };
        self.validators.lock().unwrap().entry(key).or_insert_with(make).clone()
    }
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) && fields.get("type").is_some() {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
