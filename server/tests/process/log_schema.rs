//! As much of JSON Schema as `logging.schema.json` uses; a word that it does
//! not know fails the test, so that nothing goes unchecked.

use serde_json::Value;

/// What of `value` breaks `schema`; `None` when nothing does.
pub fn broken(schema: &Value, value: &Value) -> Option<String> {
    let object = schema.as_object().unwrap();
    object.iter().find_map(|(word, rule)| {
        let breaks = match word.as_str() {
            "$schema" | "$id" | "title" | "description" => None,
            "type" => (!has_type(rule.as_str().unwrap(), value)).then(|| format!("is no {rule}")),
            "enum" => (!rule.as_array().unwrap().contains(value)).then(|| format!("is not one of {rule}")),
            "minimum" => (value.as_i64() < rule.as_i64()).then(|| format!("is below {rule}")),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .find(|name| value.get(name.as_str().unwrap()).is_none())
                .map(|name| format!("lacks {name}")),
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false));
                let known = &schema["properties"];
                let mut names = value.as_object().unwrap().keys();
                names.find(|name| known.get(name.as_str()).is_none()).map(|name| format!("has {name}"))
            }
            "properties" => {
                rule.as_object().unwrap().iter().find_map(|(name, rule)| {
                    broken(rule, value.get(name)?).map(|what| format!("{name} {what}"))
                })
            }
            "pattern" => (!matches(rule.as_str().unwrap(), value.as_str().unwrap()))
                .then(|| format!("does not match {rule}")),
            "format" => match rule.as_str().unwrap() {
                "date-time" => {
                    value.as_str().unwrap().parse::<engine::time::WallTime>().err().map(|e| e.to_string())
                }
                "uuid" => value.as_str().unwrap().parse::<uuid::Uuid>().err().map(|e| e.to_string()),
                other => panic!("format {other} is not checked"),
            },
            other => panic!("{other} is not checked"),
        };
        breaks.map(|what| format!("{what}: {value}"))
    })
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("type {other} is not checked"),
    }
}

/// The two patterns that the schema has, by hand.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[a-z][a-z0-9_]*$" => {
            text.starts_with(|first: char| first.is_ascii_lowercase())
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        }
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$" => {
            let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            shape == "0000-00-00T00:00:00.000000Z"
        }
        other => panic!("pattern {other} is not checked"),
    }
}
