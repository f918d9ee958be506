//! The repository's own commands: `cargo xtask demo`, `cargo xtask test`, `cargo xtask measure`.
//!
//! They run other programs in order and say so. What those programs do is not known here. Start
//! at [`demo::run`], [`suite::run`] or [`measure::run`]; [`needs`] is what the first two begin with.

#![expect(unreachable_pub, reason = "in a program, `pub` marks what a module offers the others")]

use std::process::ExitCode;

use request::Request;
use steps::{complain, say};

mod clients;
mod demo;
mod measure;
mod needs;
mod process;
mod request;
mod servers;
mod steps;
mod suite;

fn main() -> ExitCode {
    let request = match request::parse(std::env::args_os().skip(1)) {
        Ok(request) => request,
        Err(message) => {
            complain(&format!("error: {message}\n\n{}", request::USAGE));
            return ExitCode::from(2);
        }
    };
    let result = match request {
        Request::Help => {
            say(request::USAGE);
            Ok(())
        }
        Request::Demo { prd } => demo::run(&prd),
        Request::Test { arguments } => suite::run(&arguments),
        Request::Measure(measure) => measure::run(&measure),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("\nerror: {error}"));
            for cause in error.chain().skip(1) {
                complain(&format!("  because: {cause}"));
            }
            ExitCode::FAILURE
        }
    }
}
