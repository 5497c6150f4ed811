//! What compose.yaml lets through to the agents.

use std::path::Path;

use server::config::SETTINGS;

/// Containers keep nothing in a folder, and nobody runs a site that loses orders.
const LEFT_OUT: [&str; 2] = ["data", "trading.acknowledge"];

/// Set by what else the file says, not from outside.
const FIXED: [&str; 10] = [
    "database_url",
    "redis_url",
    "listen",
    "agent.listen",
    // Under the names that the streams' own documentation gives them.
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
    let given = SETTINGS.iter().map(|setting| (name(setting.key), "given".to_owned())).collect();
    let services = testbed::compose::read(&text, &given).unwrap();
    let agents: Vec<_> = services.iter().filter(|service| service.image.starts_with("tickhall:")).collect();
    assert_eq!(agents.len(), 6);
    for agent in agents {
        for setting in SETTINGS.iter().filter(|setting| !LEFT_OUT.contains(&setting.key)) {
            let found = agent.environment.get(&name(setting.key)).map(String::as_str);
            let expected =
                if FIXED.contains(&setting.key) { found.or(Some("something")) } else { Some("given") };
            assert_eq!(found, expected, "{} of {}", setting.key, agent.name);
        }
        let known = |variable: &String| SETTINGS.iter().any(|setting| name(setting.key) == *variable);
        assert!(agent.environment.keys().all(known), "{:?}", agent.environment);
    }
}
