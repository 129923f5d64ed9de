//! What packaged sources include has to be packaged too. A build in the repository does not notice that it is not; docs.rs does.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use crate::{step::cargo, workspace::Package};

const MACROS: [&str; 3] = ["include!(", "include_str!(", "include_bytes!("];

/// What the sources of a package include and its package does not hold.
pub(crate) fn left_behind(package: &Package) -> Vec<String> {
    let packaged = packaged(package.name());
    if packaged.is_empty() {
        return vec![format!("{} has no list of packaged files", package.name())];
    }
    let sources = packaged.iter().filter(|file| file.extension().is_some_and(|end| end == "rs"));
    let missing = sources.flat_map(|source| {
        let text = fs::read_to_string(package.folder().join(source)).unwrap_or_default();
        let missing = included(source, &text).into_iter().filter(|file| !packaged.contains(file));
        missing.map(|file| problem(package, source, &file)).collect::<Vec<_>>()
    });
    missing.collect()
}

fn problem(package: &Package, source: &Path, file: &Path) -> String {
    let (source, file) = (source.display(), file.display());
    format!("{}: {source} includes {file}, which is not packaged", package.name())
}

/// The files of a package, below its folder; none if cargo cannot tell.
fn packaged(package: &str) -> BTreeSet<PathBuf> {
    let output = cargo(&["package", "--list", "--allow-dirty", "--package", package]).output();
    let Ok(output) = output else { return BTreeSet::new() };
    String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from).collect()
}

/// The files that a source names to be included, below the package's folder.
fn included(source: &Path, text: &str) -> Vec<PathBuf> {
    let literals = MACROS.iter().flat_map(|name| text.split(name).skip(1)).filter_map(|rest| {
        let (literal, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        Some(literal)
    });
    literals.map(|literal| beside(source, literal)).collect()
}

/// A path as the source's folder sees it; one that leads out of the package keeps the steps that do.
fn beside(source: &Path, path: &str) -> PathBuf {
    let mut found = source.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir if found.file_name().is_some() => drop(found.pop()),
            part => found.push(part),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::included;

    #[test]
    fn what_a_source_includes_is_found_from_its_own_folder() {
        let text = r#"
            const ONE: &str = include_str!("one.sql");
            const TWO: &[u8] = include_bytes!(
                "../two.bin"
            );
            #[doc = include_str!("../../docs/guide.md")]
            const OUT: &str = include_str!("../../../out.md");
            const BUILT: &str = include_str!(concat!(env!("OUT_DIR"), "/built.rs"));
        "#;
        let files = included(Path::new("src/part/file.rs"), text);
        let expected = ["src/part/one.sql", "docs/guide.md", "../out.md", "src/two.bin"];
        assert_eq!(files, expected.map(PathBuf::from));
    }
}
