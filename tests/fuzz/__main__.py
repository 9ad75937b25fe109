"""`python -m tests.fuzz`: make up inputs until the numbers asked for have been tried.

Each engine runs in a process of its own, under a ceiling of memory and an alarm for each input. The
input that it died of, if any, is left in --out; once mended, it belongs in tests/fuzz/found/.
"""

import argparse
import hashlib
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.engines import CURRENT, ENGINES


def main() -> int:
    """Run the engines; returns 1 if an input was found that the gateway does not stand."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=30_000, help="for each engine")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--engine", choices=ENGINES, action="append", help="default: all")
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    failures = 0
    for name in given.engine or ENGINES:
        if ENGINES[name].needs_atheris and importlib.util.find_spec("atheris") is None:
            print(f"{name}: skipped, atheris is not installed (dependency group `fuzz`)")
            continue
        print(f"{name}: {given.inputs} inputs, seed {given.seed}", flush=True)
        start_s = time.monotonic()
        log = given.out / f"{name}.log"  # decoders write much about broken files
        with log.open("wb") as output:
            code = subprocess.call(
                [
                    *(sys.executable, "-m", "tests.fuzz.engines", name),
                    *(str(given.inputs), str(given.seed), str(given.out)),
                ],
                stdout=output,
                stderr=output,
            )
        print("\n".join(log.read_text(errors="replace").splitlines()[-5:]))
        print(f"{name}: exit status {code} after {time.monotonic() - start_s:.0f} s", flush=True)
        current = given.out / CURRENT
        if code and current.exists():
            data = current.read_bytes()
            kept = given.out / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
            kept.write_bytes(data)
            print(f"{name}: the input is kept in {kept}")
        current.unlink(missing_ok=True)
        failures += bool(code)
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
