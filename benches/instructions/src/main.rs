//! One operation, so many times: what `cargo xtask instructions` counts the instructions of.
//!
//! `instructions OPERATION ROUNDS MOST` prepares `MOST` rounds and runs `ROUNDS` of them. Two runs that prepare the same and differ in their rounds differ in nothing else,
//! so that the difference of their instructions is that of the operation, whatever the preparation, the start and the end of the process take.
#![forbid(unsafe_code)]

mod operations;
mod people;

use std::process::ExitCode;

use tokio::runtime::Builder;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((operation, rounds, most)) = parse(&arguments) else {
        println!("instructions OPERATION ROUNDS MOST");
        return ExitCode::FAILURE;
    };
    // One thread: what is woken runs in one order only.
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    if runtime.block_on(operations::run(operation, rounds, most)) {
        ExitCode::SUCCESS
    } else {
        println!("there is no operation {operation}");
        ExitCode::FAILURE
    }
}

fn parse(arguments: &[String]) -> Option<(&str, usize, usize)> {
    let [operation, rounds, most] = arguments else { return None };
    let (rounds, most) = (rounds.parse().ok()?, most.parse().ok()?);
    (rounds <= most).then_some((operation, rounds, most))
}
