//! A copy of the working tree in which bugs can be planted: the tree itself is never touched.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::step::{program, root};

#[derive(Debug)]
pub(super) struct Tree {
    pub(super) root: PathBuf,
}

impl Tree {
    /// Brings the copy up to date. A file is written only where it differs, so that cargo compiles no more than what has changed.
    pub(super) fn copied(to: PathBuf) -> Result<Self, String> {
        let files = files()?;
        for file in &files {
            let content = read(&root().join(file))?;
            write(&to.join(file), &content)?;
        }
        let tree = Self { root: to };
        tree.remove_all_but(&files, &tree.root)?;
        Ok(tree)
    }

    /// What has been renamed or deleted since the last time must not be compiled any more.
    fn remove_all_but(&self, files: &BTreeSet<PathBuf>, folder: &Path) -> Result<(), String> {
        for entry in fs::read_dir(folder).map_err(|error| told(folder, &error))? {
            let path = entry.map_err(|error| told(folder, &error))?.path();
            let is_known = path.strip_prefix(&self.root).is_ok_and(|file| files.contains(file));
            if path.is_dir() {
                self.remove_all_but(files, &path)?;
            } else if !is_known {
                fs::remove_file(&path).map_err(|error| told(&path, &error))?;
            }
        }
        Ok(())
    }

    /// What a file says.
    pub(super) fn read(&self, file: &str) -> Result<String, String> {
        let path = self.root.join(file);
        String::from_utf8(read(&path)?).map_err(|error| told(&path, &error))
    }

    /// Has a file say this.
    pub(super) fn write(&self, file: &str, content: &str) -> Result<(), String> {
        write(&self.root.join(file), content.as_bytes())
    }
}

/// What git knows of, or would if it was told to.
fn files() -> Result<BTreeSet<PathBuf>, String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = program("git", &list, "").output().map_err(|error| format!("git: {error}"))?;
    let listed = String::from_utf8(listed.stdout).map_err(|error| format!("git: {error}"))?;
    let files = listed.split('\0').filter(|file| !file.is_empty()).map(PathBuf::from);
    Ok(files.filter(|file| root().join(file).is_file()).collect())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| told(path, &error))
}

fn write(path: &Path, content: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
    fs::write(path, content).map_err(|error| told(path, &error))
}

fn told(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
