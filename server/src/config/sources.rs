//! Gathers settings from file, `.env`, environment and flags, in that order.
//!
//! Reads no global state itself: the command line hands everything in, so a
//! test does too.

use std::path::{Path, PathBuf};

use super::{Config, SETTINGS, Secrecy, Setting};

/// File that is read when it is there and none is named.
const DEFAULT_FILE: &str = "tickhall.toml";

/// Variables that are read like the environment's where that does not have them.
const DOT_ENV: &str = ".env";

/// Start of every variable that is ours.
const PREFIX: &str = "TICKHALL_";

/// What the project's own tools set for themselves under the same prefix.
const OF_TOOLS: [&str; 4] = ["BIN", "CHROMIUM", "KILLS", "TAG"];

/// Why the configuration cannot be used; one line that names the setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {what}")]
pub struct ConfigError {
    /// The place that the value came from: file and key, variable or flag.
    pub source_name: String,
    /// What is wrong there.
    pub what: String,
}

impl ConfigError {
    fn new(source_name: impl Into<String>, what: impl Into<String>) -> Self {
        // A value from outside must not break the line.
        let what = what.into().replace(['\n', '\r'], " ");
        Self { source_name: source_name.into(), what }
    }
}

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`; must exist when given.
    pub file: Option<PathBuf>,
    /// Folder of `.env` and `tickhall.toml`; the working directory when empty.
    pub folder: PathBuf,
    /// The process's environment; only `TICKHALL_*` is looked at.
    pub environment: Vec<(String, String)>,
    /// Key and text of each flag, the flag's own spelling last.
    pub flags: Vec<(String, String, String)>,
}

impl Sources {
    /// Puts it all together.
    ///
    /// # Errors
    /// The first setting that is unknown or cannot be read.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        let mut from_environment = Vec::new();
        let mut named = self.file.clone().map(|path| (path, "--config".to_owned()));
        let mut environment = self.dot_env()?;
        environment.extend(self.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
        for (name, value) in &environment {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if OF_TOOLS.contains(&rest) {
                continue;
            }
            if rest == "CONFIG" {
                if self.file.is_none() {
                    // The environment's comes after that of `.env`, and wins.
                    named = Some((value.into(), name.clone()));
                }
                continue;
            }
            from_environment.push((name, rest.to_ascii_lowercase().replace("__", "."), value));
        }
        match named {
            Some((path, source_name)) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| ConfigError::new(source_name, format!("{}: {error}", path.display())))?;
                apply_file(&mut config, &path, &text)?;
            }
            None => {
                let path = self.folder.join(DEFAULT_FILE);
                if let Ok(text) = std::fs::read_to_string(&path) {
                    apply_file(&mut config, &path, &text)?;
                }
            }
        }
        for (name, key, value) in from_environment {
            apply(&mut config, name, &key, value)?;
        }
        for (key, value, flag) in &self.flags {
            apply(&mut config, flag, key, value)?;
        }
        distinct(&config)?;
        Ok(config)
    }

    /// Our variables in `.env`, if there is one; other programs' are theirs.
    fn dot_env(&self) -> Result<Vec<(String, String)>, ConfigError> {
        let path = self.folder.join(DOT_ENV);
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let wrong = |error: dotenvy::Error| match error {
            // The line may hold a secret.
            dotenvy::Error::LineParse(..) => {
                ConfigError::new(DOT_ENV, "a line is not NAME=value; quote values with spaces or #")
            }
            error => ConfigError::new(DOT_ENV, error.to_string()),
        };
        let lines = dotenvy::from_path_iter(&path).map_err(wrong)?;
        lines.map(|line| line.map_err(wrong)).collect()
    }
}

/// What else there is on a venue's part of the bus.
const TAKEN: [&str; 4] = ["clock_status", "dead_letter", "owner", "trading_status"];

/// Two streams of one name would each carry what the other's readers cannot
/// read; a stream and a key of one name could not both be there.
fn distinct(config: &Config) -> Result<(), ConfigError> {
    let names = config.streams.all();
    for (index, (setting, name)) in names.iter().enumerate() {
        if TAKEN.contains(name) {
            return Err(ConfigError::new(*setting, format!("{name:?} is a name of the bus's own")));
        }
        if let Some((other, _)) = names[..index].iter().find(|(_, before)| before == name) {
            return Err(ConfigError::new(*setting, format!("{name:?} is {other} already")));
        }
    }
    Ok(())
}

fn apply(config: &mut Config, source_name: &str, key: &str, text: &str) -> Result<(), ConfigError> {
    let setting = find(key).ok_or_else(|| ConfigError::new(source_name, unknown(key)))?;
    (setting.set)(config, text).map_err(|wanted| {
        let shown =
            if setting.secrecy != Secrecy::Open { "its value".to_owned() } else { format!("{text:?}") };
        ConfigError::new(source_name, format!("{shown} is not {wanted}"))
    })
}

fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

fn unknown(key: &str) -> String {
    format!("no setting is called {key:?} (`tickhall config` lists them)")
}

fn apply_file(config: &mut Config, path: &Path, text: &str) -> Result<(), ConfigError> {
    let file = path.display().to_string();
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        ConfigError::new(format!("{file}:{line}"), error.message().to_owned())
    })?;
    apply_table(config, &file, "", &table)
}

fn apply_table(
    config: &mut Config,
    file: &str,
    prefix: &str,
    table: &toml::Table,
) -> Result<(), ConfigError> {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        let source_name = format!("{file}: {key}");
        let text = match value {
            toml::Value::Table(inner) => {
                apply_table(config, file, &format!("{key}."), inner)?;
                continue;
            }
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(truth) => truth.to_string(),
            toml::Value::Array(_) | toml::Value::Datetime(_) => {
                let what =
                    if find(&key).is_some() { "one value is wanted".to_owned() } else { unknown(&key) };
                return Err(ConfigError::new(source_name, what));
            }
        };
        apply(config, &source_name, &key, &text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ClockMode, IdlePolicy};

    fn in_file(text: &str) -> (tempfile::TempDir, Sources) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        std::fs::write(&file, text).unwrap();
        (folder, Sources { file: Some(file), ..Sources::default() })
    }

    fn variable(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn later_sources_win() {
        let (_folder, mut sources) = in_file("speed = 2\nidle = \"run\"\n[session]\nidle_minutes = 5\n");
        sources.environment =
            vec![variable("TICKHALL_SPEED", "3"), variable("TICKHALL_SESSION__ABSOLUTE_HOURS", "1")];
        sources.flags = vec![("speed".into(), "2.5".into(), "--speed".into())];
        let config = sources.load().unwrap();
        assert_eq!((config.speed_milli, config.idle), (2_500, IdlePolicy::Run));
        assert_eq!((config.session.idle_minutes, config.session.absolute_hours), (5, 1));
        assert_eq!(config.clock, ClockMode::Realtime);
    }

    #[test]
    fn what_cannot_be_read_is_named_in_one_line() {
        let cases = [
            ("speed = 0", "speed: \"0\" is not a number from 0.001"),
            ("spede = 1", "spede: no setting is called \"spede\""),
            ("[session]\nidle = 1", "session.idle: no setting"),
            ("listen = [1]", "listen: one value is wanted"),
            ("seed = -1", "seed: its value is not a whole number from 0"),
            ("seed = \"18446744073709551616\"", "invalid_seed"),
            ("listen = ", "own.toml:1"),
            ("owner_email = \"nobody\"", "is not an e-mail address"),
            ("[streams]\ncommand = \"risk_stream\"", "is streams.risk already"),
            ("[streams]\ncontrol = \"owner\"", "\"owner\" is a name of the bus's own"),
            ("log = \"info,=\"", "is not a filter"),
        ];
        for (text, expected) in cases {
            let (_folder, sources) = in_file(text);
            let error = sources.load().unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?} gave {error:?}");
            assert!(!error.contains('\n'), "{error:?}");
        }
    }

    #[test]
    fn an_unknown_variable_and_a_missing_file_are_refused() {
        let sources = Sources { environment: vec![variable("TICKHALL_SPEEED", "1")], ..Sources::default() };
        assert!(sources.load().unwrap_err().to_string().starts_with("TICKHALL_SPEEED: no setting"));
        let sources = Sources { file: Some("/nowhere/at/all.toml".into()), ..Sources::default() };
        assert!(sources.load().unwrap_err().to_string().starts_with("--config: /nowhere/at/all.toml"));
    }

    #[test]
    fn the_effective_configuration_reads_back_and_hides_the_seed() {
        let mut config = Config { seed: "987654321".parse().ok(), speed_milli: 1_500, ..Config::default() };
        let shown = config.to_toml();
        assert!(!shown.contains("987654321") && shown.contains("seed = \"[redacted]\""));
        config.seed = None;
        let (_folder, sources) = in_file(&config.to_toml());
        assert_eq!(sources.load().unwrap(), config);
    }

    #[test]
    fn dot_env_is_below_the_environment_and_above_the_file() {
        let (folder, mut sources) = in_file("log = \"debug\"\nspeed = 2\nidle = \"run\"\n");
        let text = "# ours\nTICKHALL_LOG='warn'\nexport TICKHALL_SPEED=3\nDATABASE_URL=postgres://theirs\n\
                    TICKHALL_TAG=v1\n\
                    TICKHALL_REDIS_URL=\"redis://ann:s3cret@h:1/2\"\n";
        std::fs::write(folder.path().join(".env"), text).unwrap();
        sources.folder = folder.path().to_owned();
        sources.environment = vec![("TICKHALL_SPEED".to_owned(), "4".to_owned())];
        let config = sources.load().unwrap();
        assert_eq!((config.log.as_str(), config.speed_milli, config.idle), ("warn", 4_000, IdlePolicy::Run));
        assert_eq!(config.database_url, None, "another program's variable");
        assert_eq!(config.redis_url.as_deref(), Some("redis://ann:s3cret@h:1/2"));
        let shown = config.to_toml();
        assert!(shown.contains("redis_url = \"redis://ann:[redacted]@h:1/2\"") && !shown.contains("s3cret"));
        for (text, line) in [
            ("TICKHALL_SPED=3\n", "TICKHALL_SPED: no setting is called \"sped\""),
            ("TICKHALL_REDIS_URL=h:s3cret\n", "TICKHALL_REDIS_URL: its value is not"),
            ("TICKHALL_REDIS_URL=s3 cret\n", ".env: a line is not NAME=value"),
        ] {
            std::fs::write(folder.path().join(".env"), text).unwrap();
            let said = sources.load().unwrap_err().to_string();
            assert!(said.starts_with(line) && !said.contains("cret"), "{said}");
        }
    }
}
