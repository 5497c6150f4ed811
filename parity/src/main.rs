//! Prints the native report; `long` asks for more cases.

fn main() {
    let long = std::env::args().nth(1).is_some_and(|word| word == "long");
    #[allow(clippy::print_stdout, reason = "the report is all this program does")]
    {
        print!("{}", parity::report(long));
    }
}
