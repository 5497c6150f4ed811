//! The git hooks, run as git would run them.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REASON: &str = "One two three four five six\nseven eight nine ten eleven twelve.";

fn hook(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.githooks").join(name)
}

/// Runs the hook on a file with the message.
fn run_commit_msg(case: usize, message: &str) -> Output {
    let name = format!("tickhall-message-{}-{case}", std::process::id());
    let file = std::env::temp_dir().join(name);
    fs::write(&file, message).expect("the temporary folder can be written");
    let output = Command::new(hook("commit-msg")).arg(&file).output();
    fs::remove_file(&file).expect("the message can be removed");
    output.expect("bash runs the hook")
}

#[test]
fn a_message_has_a_title_and_a_reason() {
    let eighty = "x".repeat(80);
    let cases = [
        (format!("add: a thing\n\n{REASON}\n"), None),
        (format!("revert: a thing\n\n{REASON}\n\n# comment {eighty}\n"), None),
        (format!("admin: a thing\n\n{REASON}\n# ------ >8 ------\n{eighty}!\n"), None),
        ("Merge branch 'x'\n".to_owned(), None),
        (format!("change: {}\n\n{REASON}\n", "x".repeat(72)), None),
        (format!("change: {}\n\n{REASON}\n", "x".repeat(73)), Some("81 columns")),
        (format!("add: a thing\n\n{REASON}\n{eighty}!\n"), Some("81 columns")),
        (format!("fix: a thing\n\n{REASON}\n"), Some("verb")),
        (format!("Add: a thing\n\n{REASON}\n"), Some("verb")),
        (format!("add a thing\n\n{REASON}\n"), Some("verb")),
        (format!("add: \n\n{REASON}\n"), Some("verb")),
        (format!("add: a thing\n{REASON}\n"), Some("second line")),
        ("add: a thing\n\nToo short to say why.\n".to_owned(), Some("5 words")),
        ("add: a thing\n".to_owned(), Some("0 words")),
        (String::new(), Some("verb")),
    ];
    for (case, (message, complaint)) in cases.iter().enumerate() {
        let output = run_commit_msg(case, message);
        let stderr = String::from_utf8_lossy(&output.stderr);
        match complaint {
            None => assert!(output.status.success(), "{message}\n{stderr}"),
            Some(words) => {
                assert!(!output.status.success(), "{message}");
                assert!(stderr.contains(words), "{message}\n{stderr}");
            }
        }
    }
}

#[test]
fn the_suite_can_be_skipped_before_a_commit() {
    let output =
        Command::new(hook("pre-commit")).env("SKIP_TEST_COMMIT", "1").output().expect("bash runs the hook");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("nothing was tested"));
}
