//! Where the result goes.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
};

use crate::{failure::Failure, options::Options, report::Report};

/// What is written at the end, and was opened at the beginning: a run may take an hour.
#[derive(Debug)]
pub(crate) enum Output {
    Table,
    Json,
    /// The table, and JSON for a file.
    Both(String, File),
}

impl Output {
    pub(crate) fn open(options: &Options) -> Result<Self, Failure> {
        Ok(match options.json.as_deref() {
            None => Self::Table,
            Some("-") => Self::Json,
            Some(path) => {
                // What is in it stays until there is something newer.
                let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
                Self::Both(path.to_owned(), file.map_err(|error| unwritable(path, &error))?)
            }
        })
    }

    pub(crate) fn write(self, report: &Report) -> Result<(), Failure> {
        match self {
            Self::Table => println!("{report}"),
            Self::Json => println!("{}", report.to_json()),
            Self::Both(path, mut file) => {
                println!("{report}");
                // A pipe or a terminal has no length.
                let _ = file.set_len(0);
                let written = writeln!(file, "{}", report.to_json());
                written.map_err(|error| unwritable(&path, &error))?;
            }
        }
        Ok(())
    }
}

fn unwritable(path: &str, error: &io::Error) -> Failure {
    Failure::Other(format!("--json {path}: {error}"))
}
