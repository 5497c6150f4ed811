//! Merges the sources of settings and reads them.
//!
//! Uses no global state but the files: the caller passes environment and flags.

use std::path::{Path, PathBuf};

use figment::error::{Actual, Error, Kind};
use figment::providers::Serialized;
use figment::util::nest;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{Config, DEFAULTS, keys};

/// File that is read if it exists and no other is named.
const DEFAULT_FILE: &str = "tickhall.toml";

/// File of variables that the environment does not set.
const DOT_ENV: &str = ".env";

/// Prefix of the variables that are settings.
const PREFIX: &str = "TICKHALL_";

/// Variables with the same prefix that the project's tools use.
const TOOL_VARIABLES: [&str; 4] = ["BIN", "CHROMIUM", "KILLS", "TAG"];

/// Settings whose values are not shown.
const SECRETS: [&str; 3] = ["database_url", "redis_url", "seed"];

/// Names on a venue's part of the bus that no stream may have.
const RESERVED_STREAMS: [&str; 4] = ["clock_status", "dead_letter", "owner", "trading_status"];

/// Reason for which the configuration cannot be used; one line that names the
/// setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct ConfigError {
    /// File and key, variable or flag.
    pub origin: String,
    pub problem: String,
}

impl ConfigError {
    fn new(origin: impl Into<String>, problem: impl Into<String>) -> Self {
        // A value must not break the line.
        let problem = problem.into().replace(['\n', '\r'], " ");
        Self { origin: origin.into(), problem }
    }
}

/// Places from which settings are read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`; must exist if it is named.
    pub file: Option<PathBuf>,
    /// Folder of `.env` and `tickhall.toml`; the working directory if empty.
    pub folder: PathBuf,
    /// The process's environment; only `TICKHALL_*` is read.
    pub environment: Vec<(String, String)>,
    /// Key and value of each flag, and its spelling on the command line.
    pub flags: Vec<(String, String, String)>,
}

/// Settings of one file, variable or flag, for figment.
struct Source {
    metadata: Metadata,
    settings: Value,
}

impl Source {
    fn one(origin: &str, key: &str, value: &str) -> Self {
        Self { metadata: Metadata::named(origin.to_owned()), settings: nest(key, Value::from(value)) }
    }

    fn file(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let origin = path.display().to_string();
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            ConfigError::new(format!("{origin}:{line}"), error.message())
        })?;
        let settings =
            Value::serialize(table).map_err(|error| ConfigError::new(&origin, error.to_string()))?;
        Ok(Self { metadata: Metadata::from(origin, path), settings })
    }

    /// The program's own settings.
    fn defaults() -> Result<Self, ConfigError> {
        Self::file(Path::new("defaults.toml"), DEFAULTS)
    }
}

impl Provider for Source {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Serialized::defaults(&self.settings).data()
    }
}

impl Config {
    /// Returns the settings of a program that is told nothing.
    ///
    /// # Errors
    /// A default that is no valid setting, which a test excludes.
    pub fn defaults() -> Result<Self, ConfigError> {
        extract(&Figment::from(Source::defaults()?))
    }
}

impl Sources {
    /// Merges all sources and reads the result.
    ///
    /// # Errors
    /// The first setting that is unknown or has an invalid value.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut named_file = None;
        let mut variables = Vec::new();
        for (name, value) in self.dot_env()?.into_iter().chain(self.environment.iter().cloned()) {
            match name.strip_prefix(PREFIX) {
                Some("CONFIG") => named_file = Some((PathBuf::from(value), name)),
                Some(rest) if !TOOL_VARIABLES.contains(&rest) => {
                    let key = rest.to_ascii_lowercase().replace("__", ".");
                    variables.push(Source::one(&name, &key, &value));
                }
                _ => {}
            }
        }
        if let Some(path) = &self.file {
            named_file = Some((path.clone(), "--config".to_owned()));
        }

        let mut figment = Figment::from(Source::defaults()?);
        let default_file = self.folder.join(DEFAULT_FILE);
        match (named_file, std::fs::read_to_string(&default_file)) {
            (Some((path, origin)), _) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| ConfigError::new(origin, format!("{}: {error}", path.display())))?;
                figment = figment.merge(Source::file(&path, &text)?);
            }
            (None, Ok(text)) => figment = figment.merge(Source::file(&default_file, &text)?),
            (None, Err(_)) => {}
        }
        let flags = self.flags.iter().map(|(key, value, flag)| Source::one(flag, key, value));
        let config = extract(&variables.into_iter().chain(flags).fold(figment, Figment::merge))?;
        check_stream_names(&config)?;
        Ok(config)
    }

    /// Variables of `.env`, if there is one.
    fn dot_env(&self) -> Result<Vec<(String, String)>, ConfigError> {
        let path = self.folder.join(DOT_ENV);
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let invalid = |error: dotenvy::Error| match error {
            // The line may contain a secret.
            dotenvy::Error::LineParse(..) => {
                ConfigError::new(DOT_ENV, "a line is not NAME=value; quote values with spaces or #")
            }
            error => ConfigError::new(DOT_ENV, error.to_string()),
        };
        let lines = dotenvy::from_path_iter(&path).map_err(invalid)?;
        lines.map(|line| line.map_err(invalid)).collect()
    }
}

fn extract(figment: &Figment) -> Result<Config, ConfigError> {
    figment.extract().map_err(|error| {
        let key = error.path.join(".");
        let origin = match &error.metadata {
            Some(of) if of.source.is_some() => format!("{}: {key}", of.name),
            Some(of) => of.name.to_string(),
            None => key.clone(),
        };
        let problem = match &error.kind {
            _ if !keys().any(|known| known == key) => {
                format!("no setting is called {key:?} (`tickhall config` lists them)")
            }
            Kind::InvalidValue(_, expected) if SECRETS.contains(&key.as_str()) => {
                format!("its value is not {expected}")
            }
            Kind::InvalidValue(Actual::Str(text), expected) => format!("{text:?} is not {expected}"),
            Kind::InvalidType(..) => "one value is wanted".to_owned(),
            kind => kind.to_string(),
        };
        ConfigError::new(origin, problem)
    })
}

/// Refuses two streams of one name, which would carry messages that the other's
/// consumers cannot decode, and names of the bus's own keys.
fn check_stream_names(config: &Config) -> Result<(), ConfigError> {
    let names = config.streams.all();
    for (index, (setting, name)) in names.iter().enumerate() {
        if RESERVED_STREAMS.contains(name) {
            return Err(ConfigError::new(*setting, format!("{name:?} is a name of the bus's own")));
        }
        if let Some((other, _)) = names[..index].iter().find(|(_, before)| before == name) {
            return Err(ConfigError::new(*setting, format!("{name:?} is {other} already")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ClockMode, IdlePolicy};

    fn from_file(text: &str) -> (tempfile::TempDir, Sources) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        std::fs::write(&file, text).unwrap();
        (folder, Sources { file: Some(file), ..Sources::default() })
    }

    fn variable(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn defaults_are_valid_and_every_key_is_a_setting() {
        assert_eq!(
            Config::defaults().unwrap(),
            Sources { folder: "/nowhere".into(), ..Sources::default() }.load().unwrap()
        );
        let shown = serde_json::to_value(Config::defaults().unwrap()).unwrap();
        for key in keys() {
            assert!(shown.pointer(&format!("/{}", key.replace('.', "/"))).is_some(), "{key}");
        }
    }

    #[test]
    fn later_sources_win() {
        let (_folder, mut sources) = from_file("speed = 2\nidle = \"run\"\n[session]\nidle_minutes = 5\n");
        sources.environment =
            vec![variable("TICKHALL_SPEED", "3"), variable("TICKHALL_SESSION__ABSOLUTE_HOURS", "1")];
        sources.flags = vec![("speed".into(), "2.5".into(), "--speed".into())];
        let config = sources.load().unwrap();
        assert_eq!((config.speed_milli, config.idle), (2_500, IdlePolicy::Run));
        assert_eq!((config.session.idle_minutes, config.session.absolute_hours), (5, 1));
        assert_eq!(config.clock, ClockMode::Realtime);
    }

    #[test]
    fn an_invalid_setting_is_named_in_one_line() {
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
            ("trusted_proxies = \"nginx\"", "trusted_proxies: \"nginx\" is not addresses and networks"),
        ];
        for (text, expected) in cases {
            let (_folder, sources) = from_file(text);
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
        let mut config =
            Config { seed: "987654321".parse().ok(), speed_milli: 1_500, ..Config::defaults().unwrap() };
        let shown = config.to_toml().unwrap();
        assert!(!shown.contains("987654321") && shown.contains("seed = \"[redacted]\""));
        config.seed = None;
        config.trusted_proxies = crate::http::TrustedProxies::parse("::1,10.0.0.0/8").unwrap();
        let (_folder, sources) = from_file(&config.to_toml().unwrap());
        assert_eq!(sources.load().unwrap(), config);
    }

    #[test]
    fn dot_env_is_below_the_environment_and_above_the_file() {
        let (folder, mut sources) = from_file("log = \"debug\"\nspeed = 2\nidle = \"run\"\n");
        let text = "# variables\nTICKHALL_LOG='warn'\nexport TICKHALL_SPEED=3\nDATABASE_URL=postgres://theirs\n\
                    TICKHALL_TAG=v1\n\
                    TICKHALL_REDIS_URL=\"redis://ann:s3cret@h:1/2\"\n";
        std::fs::write(folder.path().join(".env"), text).unwrap();
        sources.folder = folder.path().to_owned();
        sources.environment = vec![("TICKHALL_SPEED".to_owned(), "4".to_owned())];
        let config = sources.load().unwrap();
        assert_eq!((config.log.as_str(), config.speed_milli, config.idle), ("warn", 4_000, IdlePolicy::Run));
        assert_eq!(config.database_url, None, "another program's variable");
        assert_eq!(config.redis_url.as_deref(), Some("redis://ann:s3cret@h:1/2"));
        let shown = config.to_toml().unwrap();
        assert!(shown.contains("redis_url = \"redis://ann:[redacted]@h:1/2\"") && !shown.contains("s3cret"));
        for (text, line) in [
            ("TICKHALL_SPED=3\n", "TICKHALL_SPED: no setting is called \"sped\""),
            ("TICKHALL_REDIS_URL=h:s3cret\n", "TICKHALL_REDIS_URL: its value is not"),
            ("TICKHALL_REDIS_URL=s3 cret\n", ".env: a line is not NAME=value"),
        ] {
            std::fs::write(folder.path().join(".env"), text).unwrap();
            let error = sources.load().unwrap_err().to_string();
            assert!(error.starts_with(line) && !error.contains("cret"), "{error}");
        }
    }
}
