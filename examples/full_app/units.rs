//! The unit tests of `full_app`'s modules, as a test target beside the example.
//!
//! Were the example itself marked `test = true`, `cargo test` would build its tests in place of the program, and the end-to-end
//! tests would find none, or an old one.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "only the program itself puts the modules to use")]

mod accepting;
mod app;
mod assets;
mod auth;
mod claims;
mod clock;
mod connections;
mod cookie;
mod cookie_form;
mod creator;
mod cut_off;
mod directory;
mod entry;
mod failure;
mod form;
mod headers;
mod holdings;
mod keeping;
mod ledger;
mod logout;
mod moderation;
mod monitoring;
mod names;
mod numbering;
mod options;
mod order;
mod origin;
mod pace;
mod pages;
mod process;
mod reasons;
mod room;
mod secret;
mod serve;
mod site;
mod skeleton;
mod standing;
mod stop;
mod store;
mod unseen;
mod username;
mod visitor;
mod void_page;
mod voided;
mod wanted;
mod words;
mod write_deadline;

#[test]
fn every_module_of_the_program_is_here() {
    let modules = |root: &'static str| -> Vec<&str> {
        root.lines().filter(|line| line.starts_with("mod ")).collect()
    };
    assert_eq!(modules(include_str!("units.rs")), modules(include_str!("main.rs")));
}
