#!/usr/bin/env python3
"""A client that nobody of this project wrote, against a running `full_app`.

Written from the protocol's page alone, on the PyPI package `websockets`. Start the application, then:

    python3 -m pip install -r tests/foreign/requirements.txt
    python3 tests/foreign/check.py --url http://127.0.0.1:5000

It says what it checked, ends with `N passed, N failed`, and exits with 1 if anything failed.
"""

import argparse
import sys
import traceback

from scenarios import SCENARIOS
from visitor import Site


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="where full_app listens, as http://HOST:PORT")
    site = Site(parser.parse_args().url)
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
