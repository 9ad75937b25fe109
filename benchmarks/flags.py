"""Flags that several commands have."""

import argparse
import os
from pathlib import Path
from typing import Any, Final

_FLAGS: Final[dict[str, dict[str, Any]]] = {
    "--out": {"type": Path, "default": Path("out/bench"), "help": "folder of the record"},
    "--quick": {"action": "store_true", "help": "a smoke run of seconds"},
    "--repository": {"type": Path, "default": Path("model_repository"), "help": "of the models"},
    "--samples": {"type": Path, "default": Path("samples"), "help": "folder of photos"},
    "--seed": {"type": int, "default": 1, "help": "of what is random"},
    "--triton-dir": {
        "type": Path,
        "default": Path(os.environ.get("PACKSHOT_TRITON_DIR", ".triton")),
        "help": "folder that Triton and perf_analyzer are installed into",
    },
}


def add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """Declare some of them; the help tells each default."""
    for name in names:
        told = _FLAGS[name]
        default = " (default: %(default)s)" if "default" in told else ""
        parser.add_argument(name, **(told | {"help": told["help"] + default}))
