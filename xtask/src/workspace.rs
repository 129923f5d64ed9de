//! The workspace's packages, as `cargo metadata` tells them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::step::cargo;

/// One package of the workspace.
#[derive(Debug)]
pub(crate) struct Package(Value);

/// All of them. Cargo has just read the same manifests to run this, so that nothing can be wrong with them.
pub(crate) fn packages() -> Vec<Package> {
    let Value::Array(packages) = metadata()["packages"].take() else {
        panic!("cargo metadata lists packages")
    };
    packages.into_iter().map(Package).collect()
}

/// Arguments by which cargo passes over what is not for crates.io.
pub(crate) fn only_published(packages: &[Package]) -> Vec<String> {
    let unpublished = packages.iter().filter(|package| !package.is_published());
    unpublished.map(|package| format!("--exclude={}", package.name())).collect()
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    let metadata = metadata();
    metadata["target_directory"].as_str().expect("cargo metadata names it").into()
}

fn metadata() -> Value {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output();
    let output = output.expect("cargo runs").stdout;
    serde_json::from_slice(&output).expect("cargo metadata speaks JSON")
}

impl Package {
    pub(crate) fn name(&self) -> &str {
        self.text("name")
    }

    /// A field of the manifest; empty if it is not there.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// How many values a field of the manifest lists.
    pub(crate) fn count(&self, field: &str) -> usize {
        self.0[field].as_array().map_or(0, Vec::len)
    }

    /// What the manifest tells a tool.
    pub(crate) fn tool(&self, name: &str) -> &Value {
        &self.0["metadata"][name]
    }

    /// Whether it is for crates.io: `publish = false` is an empty list of registries.
    pub(crate) fn is_published(&self) -> bool {
        self.0["publish"].is_null()
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> PathBuf {
        Path::new(self.text("manifest_path")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
    }

    /// Its features, without `default`, which is a choice of others.
    pub(crate) fn features(&self) -> Vec<&str> {
        let features = self.0["features"].as_object().into_iter().flatten();
        features.map(|(feature, _)| feature.as_str()).filter(|&name| name != "default").collect()
    }
}
