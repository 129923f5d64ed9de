"""The example application as a child process, for when nobody has started one."""

import contextlib
import pathlib
import subprocess

BINARY = pathlib.Path(__file__).resolve().parents[2] / "target" / "debug" / "examples" / "full_app"


@contextlib.contextmanager
def running():
    """Starts `full_app` in memory on a free port, hands out its address, and ends it."""
    if not BINARY.exists():
        raise SystemExit(f"{BINARY} is missing: run `cargo build --example full_app` first, or give --url")
    command = [BINARY, "--addr", "127.0.0.1:0", "--store", "memory"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield announced(process)
        finally:
            process.terminate()


def announced(process):
    for line in process.stdout:
        if line.startswith("listening on "):
            return line.removeprefix("listening on ").strip()
    raise SystemExit("full_app ended before it listened")
