//! How many files a process may have open: each connection is one.

use std::process::Command;

/// The same program with the same arguments, with as many open files as are allowed.
pub(crate) fn as_many_as_allowed(command: &Command) -> Command {
    const RAISED: &str = r#"ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#;
    let mut raised = Command::new("sh");
    raised.args(["-c", RAISED]).arg(command.get_program()).args(command.get_args());
    raised
}
