//! Faults that only root can cause, such as a full disk: see `tests/as_root`.

use crate::{
    install::is_root,
    step::{Steps, cargo},
};

/// Runs those tests, through `sudo` where this is not root.
pub(super) fn run(steps: &mut Steps) {
    let mut test = cargo(&["test", "--all-features", "--test", "as_root"]);
    if !is_root() {
        test.args(["--config", "target.'cfg(unix)'.runner = 'sudo'"]);
    }
    steps.run("faults that only root can cause", &mut test);
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use crate::step::root;

    /// What all sources of the workspace say.
    fn sources(folder: &Path, said: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !name.starts_with(['.']) && name != "target" {
                sources(&path, said);
            } else if name.ends_with(".rs") {
                *said += &fs::read_to_string(&path).unwrap();
            }
        }
    }

    #[test]
    fn every_fault_in_the_guide_has_the_tests_that_are_named_there() {
        let guide = fs::read_to_string(root().join("docs/guide/how-we-know.md")).unwrap();
        let mut said = String::new();
        sources(&root(), &mut said);
        let rows: Vec<_> = guide.lines().filter(|line| line.starts_with("| F")).collect();
        assert!(rows.len() >= 30, "{} faults", rows.len());
        assert!(rows.is_sorted_by_key(|row| row.split(" | ").next()), "they stand in order");
        for row in rows {
            let last = row.rsplit(" | ").next().unwrap();
            let named: Vec<_> = last.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "nothing shows {row}");
            let is_path = |name: &&&str| {
                !name.contains([' ', '-', '/']) && (name.contains("::") || name.contains('_'))
            };
            for path in named.iter().filter(is_path) {
                let name = path.rsplit("::").next().unwrap().trim_start_matches('…');
                let is_there = match name.strip_suffix('!') {
                    Some(suite) => said.contains(&format!("macro_rules! {suite}")),
                    None => ["{}(", "mod {};", "mod {} {"]
                        .iter()
                        .any(|item| said.contains(&item.replace("{}", name))),
                };
                assert!(is_there, "{path} is not there");
            }
        }
    }
}
