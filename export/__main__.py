"""``python -m export``: train, build and judge the models that Triton serves."""

import sys

from export.cli import main

if __name__ == "__main__":
    sys.exit(main())
