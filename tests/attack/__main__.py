"""`python -m tests.attack`: every attack, one after the other, and a table of what came of it."""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.attack.bout import SETUPS, Bout, fight
from tests.integration.processes import ROOT, launch_triton


def main() -> int:
    """Attack; returns 0 if the service held, 1 if it did not, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("attacks", nargs="*", choices=[*SETUPS, []], help="which; default: all")
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long each, s")
    parser.add_argument("--json", type=Path, help="where the record goes")
    parser.add_argument("--logs", type=Path, help="folder for the servers' logs")
    arguments = parser.parse_args()
    logs = arguments.logs or Path(tempfile.mkdtemp(prefix="packshot-attack-"))
    logs.mkdir(parents=True, exist_ok=True)
    bouts: list[Bout] = []
    triton = launch_triton(ROOT / "model_repository", logs / "serving.log", models=["matte-int8"])
    with triton.process:
        triton.process.wait_until(triton.is_ready, timeout_s=300)
        for attack in arguments.attacks or SETUPS:
            bout = fight(attack, triton, logs / attack, arguments.seconds)
            bouts.append(bout)
            print(line(bout), flush=True)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps([asdict(bout) for bout in bouts], indent=2) + "\n")
    failed = [bout.attack for bout in bouts if bout.faults]
    print(f"{len(bouts) - len(failed)} of {len(bouts)} attacks held; logs in {logs}")
    return 1 if failed else 0


def line(bout: Bout) -> str:
    """Return what came of an attack, for a person."""
    own, in_all = bout.most_mib
    return (
        f"{bout.attack}: {'; '.join(bout.faults) or 'held'}\n"
        f"  {bout.report}\n"
        f"  polite caller {bout.done} of {bout.errands}, slowest {bout.slowest_s:.1f} s; "
        f"memory {own:.0f} MiB of {bout.ceiling_mib:.0f}, {in_all:.0f} with workers; "
        f"ended {bout.stop_s:.1f} s after SIGTERM"
    )


if __name__ == "__main__":
    sys.exit(main())
