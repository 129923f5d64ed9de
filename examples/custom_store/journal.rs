//! Lines that are only ever added.

use std::{
    fmt,
    io::{self, ErrorKind, Write},
};

/// Writes lines to a file, or whatever else takes bytes. What could not be written waits for the next call, so that a full disk loses none.
pub(crate) struct Journal {
    out: Box<dyn Write + Send>,
    waiting: Vec<u8>,
}

impl Journal {
    pub(crate) fn new(out: impl Write + Send + 'static) -> Self {
        // A process that died in the middle of a line has left half of one.
        Self { out: Box::new(out), waiting: vec![b'\n'] }
    }

    /// Adds a line; it is written with the next [`flush`](Self::flush).
    pub(crate) fn add(&mut self, line: &str) {
        self.waiting.extend_from_slice(line.as_bytes());
        self.waiting.push(b'\n');
    }

    /// Writes all that waits. What is left after an error still waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match self.out.write(&self.waiting) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.flush()
    }
}

impl fmt::Debug for Journal {
    // What people say to each other does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}
