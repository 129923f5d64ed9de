//! What only root can do to a machine, such as a disk that is full or read-only. `cargo xtask prove faults` runs this; `cargo test` by itself does not.

mod disk;
mod full_disk;
mod read_only_disk;
