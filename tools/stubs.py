"""Generates the gRPC stubs, or checks that the committed ones follow the proto files.

python -m tools.stubs [--check]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path("client")
_PUBLIC = "packshot/v1/packshot.proto"
_WIRE = "packshot/wire/v1/wire.proto"


def generate(out: Path) -> None:
    """Write the stubs of both proto files, and the service's, with their types."""
    plugins = Path(sys.executable).parent
    messages = [f"--python_out={out}", f"--mypy_out=quiet:{out}", _PUBLIC, _WIRE]
    service = [f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", _PUBLIC]
    for arguments in (messages, service):
        subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc", "--proto_path=."),
                f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
                f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
                *arguments,
            ],
            cwd=_ROOT,
            check=True,
        )


def stale(fresh: Path) -> list[Path]:
    """Return the committed stubs that differ from freshly generated ones."""
    return [
        _ROOT / path.relative_to(fresh)
        for path in sorted(fresh.rglob("*_pb2*"))
        if not (committed := _ROOT / path.relative_to(fresh)).exists()
        or committed.read_bytes() != path.read_bytes()
    ]


def main() -> int:
    """Run the command; returns 1 if a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.stubs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, change nothing")
    if not parser.parse_args().check:
        generate(_ROOT.resolve())
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        differing = stale(Path(folder))
    for path in differing:
        print(f"{path} does not follow its proto file: run `make stubs`")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
