//! Services of a compose file: images, commands and environments, with variables
//! substituted as Compose does.
//!
//! Does not read what concerns containers: volumes, networks, health checks.

use std::collections::BTreeMap;

use yaml_rust2::{Yaml, YamlLoader};

/// A service of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    pub image: String,
    /// Arguments of the image's entry point.
    pub command: Vec<String>,
    /// Variables that have a value.
    pub environment: BTreeMap<String, String>,
    /// True if a port is published.
    pub is_published: bool,
}

/// Reads the services of a compose file; `variables` stand for the environment
/// and the `.env` file.
///
/// # Errors
/// The first thing that cannot be read, in one line.
pub fn read(text: &str, variables: &BTreeMap<String, String>) -> Result<Vec<Service>, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let services = documents.first().and_then(|file| file["services"].as_hash());
    let services = services.ok_or("it has no services")?;
    services
        .iter()
        .map(|(name, fields)| {
            let name = name.as_str().ok_or("a service has no name")?;
            service(name, &merged(fields), variables).map_err(|error| format!("{name}: {error}"))
        })
        .collect()
}

fn service(
    name: &str,
    fields: &BTreeMap<String, Yaml>,
    variables: &BTreeMap<String, String>,
) -> Result<Service, String> {
    let text = |field: &str| fields.get(field).and_then(scalar).unwrap_or_default();
    let mut found = Service {
        name: name.to_owned(),
        image: interpolated(&text("image"), variables)?,
        is_published: fields.contains_key("ports"),
        ..Service::default()
    };
    if let Some(words) = fields.get("command") {
        let words = words.as_vec().ok_or("its command is not a list")?;
        for word in words {
            let word = scalar(word).ok_or("its command contains an item that is not a scalar")?;
            found.command.push(interpolated(&word, variables)?);
        }
    }
    for (key, value) in fields.get("environment").map(merged).unwrap_or_default() {
        // Without a value it is taken from the variables, if it is among them.
        let value = match scalar(&value) {
            Some(value) => Some(interpolated(&value, variables)?),
            None => variables.get(&key).cloned(),
        };
        found.environment.extend(value.map(|value| (key, value)));
    }
    Ok(found)
}

/// Fields of a table and of its `<<`; its own take precedence.
fn merged(table: &Yaml) -> BTreeMap<String, Yaml> {
    let mut fields = BTreeMap::new();
    let Some(table) = table.as_hash() else { return fields };
    for (key, value) in table {
        match key.as_str() {
            Some("<<") => {
                for (key, value) in merged(value) {
                    fields.entry(key).or_insert(value);
                }
            }
            Some(key) => {
                fields.insert(key.to_owned(), value.clone());
            }
            None => {}
        }
    }
    fields
}

fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(is) => Some(is.to_string()),
        _ => None,
    }
}

/// Substitutes `${NAME}`, `${NAME:-default}` and `$$`, as Compose does.
fn interpolated(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut rest = text;
    let mut found = String::new();
    while let Some((before, after)) = rest.split_once('$') {
        found.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            found.push('$');
            rest = after;
            continue;
        }
        let inner = after.strip_prefix('{').and_then(|after| after.split_once('}'));
        let (inner, after) =
            inner.ok_or_else(|| format!("{text:?} contains a $ that is not ${{NAME}} or $$"))?;
        let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
        let value = variables.get(name).filter(|value| !value.is_empty());
        found.push_str(value.map_or(default, String::as_str));
        rest = after;
    }
    found.push_str(rest);
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test shows the line")]

    use super::*;

    #[test]
    fn anchors_are_merged_and_variables_substituted() {
        let text = "
x-environment: &environment
  URL: redis://${HOST:-redis}:6379/0
  GIVEN:
  ABSENT:
x-agent: &agent
  image: t:${TAG:-local}
  environment: *environment
services:
  one:
    <<: *agent
    command: [agent, one]
    ports: ['3000:3000']
  two:
    <<: *agent
    image: other
    environment: { <<: *environment, N: 3, PRICE: $$1 }
";
        let variables = [("HOST", "cache"), ("GIVEN", "yes")];
        let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let services = read(text, &variables).unwrap();
        let [one, two] = services.as_slice() else { panic!("{services:?}") };
        assert_eq!((one.image.as_str(), one.is_published), ("t:local", true));
        assert_eq!(one.command, ["agent", "one"]);
        let words = |service: &Service| {
            service.environment.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(words(one), ["GIVEN=yes", "URL=redis://cache:6379/0"]);
        assert_eq!((two.image.as_str(), two.is_published), ("other", false));
        assert_eq!(words(two), ["GIVEN=yes", "N=3", "PRICE=$1", "URL=redis://cache:6379/0"]);
        assert!(read("services: { a: { command: [$x] } }", &variables).is_err());
    }
}
