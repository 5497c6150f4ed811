//! Prints the native report, with more cases for `long`. `work KERNEL ROUNDS`
//! prints the seconds that a kernel takes, and its result.

use std::process::ExitCode;
use std::time::Instant;

#[allow(clippy::print_stdout, reason = "the report is the output of the program")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["work", kernel, rounds] => {
            let Ok(rounds) = rounds.parse() else { return ExitCode::FAILURE };
            let start = Instant::now();
            let result = wasm_parity::work(kernel, rounds);
            println!("{} {result}", start.elapsed().as_secs_f64());
        }
        arguments => print!("{}", wasm_parity::report(arguments == ["long"])),
    }
    ExitCode::SUCCESS
}
