//! Prints the native report; `long` asks for more cases. `work KERNEL ROUNDS`
//! prints how many seconds that takes, and its result.

use std::process::ExitCode;
use std::time::Instant;

#[allow(clippy::print_stdout, reason = "the report is all this program does")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["work", kernel, rounds] => {
            let Ok(rounds) = rounds.parse() else { return ExitCode::FAILURE };
            let start = Instant::now();
            let result = wasm_parity::work(kernel, rounds);
            println!("{} {result}", start.elapsed().as_secs_f64());
        }
        words => print!("{}", wasm_parity::report(words == ["long"])),
    }
    ExitCode::SUCCESS
}
