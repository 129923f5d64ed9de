//! What holds of whatever anybody sends, each as a function of bytes: fuzzers look for bytes of which it does not hold (`fuzz/`), and a test replays those that
//! they found worth keeping.

mod frames;
mod names;
mod query;
mod request;
mod resume;

pub use frames::frames;
pub use names::names;
pub use query::query;
pub use request::request;
pub use resume::resume;

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    type Property = fn(&[u8]);

    /// By the names of the fuzz targets.
    const ALL: [(&str, Property); 5] = [
        ("frames", frames),
        ("names", names),
        ("query", query),
        ("request", request),
        ("resume", resume),
    ];

    #[test]
    fn what_fuzzers_have_found_worth_keeping_holds_no_surprise() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let mut folders = 0;
        for folder in fs::read_dir(&corpus).unwrap() {
            let folder = folder.unwrap();
            let known = ALL.iter().find(|(name, _)| folder.file_name() == **name);
            let (name, property) = known.expect("each folder is that of a target");
            let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
            assert!(files.len() >= 10, "{name}: {} files", files.len());
            for file in files {
                let path = file.unwrap().path();
                println!("{}", path.display());
                property(&fs::read(path).unwrap());
            }
            folders += 1;
        }
        assert_eq!(folders, ALL.len());
    }
}
