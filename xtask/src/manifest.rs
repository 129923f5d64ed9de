//! What the manifests must say.

use std::{fs, path::Path};

use crate::{
    step::{program, root},
    workspace::Package,
};

/// What contradicts that the `rust-version` of every package is the toolchain that tests it.
pub(crate) fn toolchain(packages: &[Package]) -> Vec<String> {
    let pinned = pinned().unwrap_or_default();
    let mut problems = Vec::new();
    if running().as_ref() != Some(&pinned) {
        problems.push(format!("rust-toolchain.toml pins {pinned:?}, but another rustc runs"));
    }
    for package in packages {
        let promised = package.text("rust_version");
        if promised != pinned && !pinned.starts_with(&format!("{promised}.")) {
            problems.push(format!("{} promises Rust {promised:?}", package.name()));
        }
    }
    problems
}

/// The version that `rust-toolchain.toml` names.
fn pinned() -> Option<String> {
    let file = fs::read_to_string(root().join("rust-toolchain.toml")).ok()?;
    let channel = file.lines().find_map(|line| line.strip_prefix("channel = "))?;
    Some(channel.trim_matches('"').to_owned())
}

/// The version of the compiler that is run here.
fn running() -> Option<String> {
    let output = program("rustc", &["--version"], "").output().ok()?;
    String::from_utf8(output.stdout).ok()?.split(' ').nth(1).map(str::to_owned)
}

/// What a package lacks that crates.io, docs.rs and those who read there expect.
pub(crate) fn missing(package: &Package) -> Vec<String> {
    let folder = package.folder();
    let docs = &package.tool("docs")["rs"];
    let expected = [
        ("a description", !package.text("description").is_empty()),
        ("the repository", !package.text("repository").is_empty()),
        ("its documentation", package.text("documentation").ends_with(package.name())),
        ("the licence", package.text("license") == "MIT OR Apache-2.0"),
        ("the MIT licence's text", has_licence(&folder, "LICENSE-MIT")),
        ("the Apache licence's text", has_licence(&folder, "LICENSE-APACHE")),
        ("a readme", !package.text("readme").is_empty() && folder.join("README.md").exists()),
        ("1 to 5 keywords", (1..=5).contains(&package.count("keywords"))),
        ("1 to 5 categories", (1..=5).contains(&package.count("categories"))),
        ("all features on docs.rs", docs["all-features"] == true),
    ];
    let missing = expected.iter().filter(|(_, is_there)| !is_there);
    missing.map(|(what, _)| format!("{} lacks {what}", package.name())).collect()
}

fn has_licence(folder: &Path, name: &str) -> bool {
    let text = fs::read(folder.join(name));
    text.is_ok_and(|text| fs::read(root().join(name)).is_ok_and(|original| text == original))
}
