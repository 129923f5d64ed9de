#!/usr/bin/env python3
"""A client that nobody of this project wrote, against a running `full_app`.

Written from the protocol's page alone, on the PyPI package `websockets`:

    python3 -m pip install -r tests/foreign/requirements.txt
    python3 tests/foreign/check.py --url http://127.0.0.1:5000

Without `--url` it starts the application that `cargo build --example full_app` made. It says what it checked, ends with `N passed, N failed`, and exits with 1 if anything failed.
"""

import argparse
import contextlib
import sys
import traceback

import application
from scenarios import SCENARIOS
from visitor import Site


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="where full_app listens, as http://HOST:PORT")
    url = parser.parse_args().url
    with contextlib.nullcontext(url) if url else application.running() as url:
        return check(Site(url))


def check(site):
    failed = 0
    for scenario in SCENARIOS:
        title = scenario.__name__.replace("_", " ")
        try:
            scenario(site)
        except Exception:
            failed += 1
            print(f"FAILED  {title}")
            traceback.print_exc(file=sys.stdout)
        else:
            print(f"ok      {title}")
    print(f"{len(SCENARIOS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
