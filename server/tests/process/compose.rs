//! Settings that compose.yaml passes on to the agents.

use std::path::Path;

use server::config::keys;

/// Settings without use in containers, which have no data folder, and for tests only.
const OMITTED: [&str; 2] = ["data", "trading.acknowledge"];

/// Settings whose values the file fixes or takes from other variables.
const FIXED: [&str; 10] = [
    "database_url",
    "redis_url",
    "listen",
    "agent.listen",
    // From variables with the names of the streams' documentation.
    "streams.market_data",
    "streams.execution",
    "streams.risk",
    "streams.command",
    "streams.control",
    "log",
];

#[test]
fn every_setting_reaches_every_agent() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compose.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let name = |key: &str| format!("TICKHALL_{}", key.to_uppercase().replace('.', "__"));
    let variables = keys().map(|key| (name(key), "outside".to_owned())).collect();
    let services = testbed::compose::read(&text, &variables).unwrap();
    let agents: Vec<_> = services.iter().filter(|service| service.image.starts_with("tickhall:")).collect();
    assert_eq!(agents.len(), 6);
    for agent in agents {
        for key in keys().filter(|key| !OMITTED.contains(key)) {
            let found = agent.environment.get(&name(key)).map(String::as_str);
            let expected = if FIXED.contains(&key) { found.or(Some("a value")) } else { Some("outside") };
            assert_eq!(found, expected, "{key} of {}", agent.name);
        }
        let is_setting = |variable: &String| keys().any(|key| name(key) == *variable);
        assert!(agent.environment.keys().all(is_setting), "{:?}", agent.environment);
    }
}
