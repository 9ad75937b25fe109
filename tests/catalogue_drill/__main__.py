"""`python -m tests.catalogue_drill`: a job undisturbed and killed, and what it brings and costs."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.catalogue_drill.beside import beside, efficiency
from tests.catalogue_drill.drill import hold, usual_kills
from tests.catalogue_drill.photos import make_photos
from tests.catalogue_drill.stack import running

_BATCH = 32


def main() -> int:
    """Hold the drill; returns 1 if the end states differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.catalogue_drill", description=__doc__)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--side-px", type=int, default=512)
    parser.add_argument("--evaluation", default="../shared/photos", help="further photos")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each side beside the job")
    arguments = parser.parse_args()
    count, fewer = arguments.photos, max(40, arguments.photos // 10)
    sources = [*sorted(Path("samples").glob("*.jpg")), *_further(Path(arguments.evaluation))]
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "stack") as stack:
        folder = Path(name)
        photos, few = folder / "photos", folder / "few"
        make_photos(photos, count, sources, arguments.side_px)
        make_photos(few, fewer, sources, arguments.side_px)
        print("a tenth:", hold(stack, few, fewer, folder / "tenth", [], _BATCH), flush=True)
        plain = hold(stack, photos, count, folder / "plain", [], _BATCH)
        print("undisturbed:", plain, flush=True)
        killed = hold(stack, photos, count, folder / "killed", usual_kills(stack), _BATCH)
        print("killed:", killed, flush=True)
        differences = plain.state.differences(killed.state)
        print(f"{len(differences)} differences {differences[:5]}", flush=True)
        stack.wait()
        asyncio.run(efficiency(stack, few, fewer, folder, _BATCH))
        asyncio.run(beside(stack, photos, folder / "beside", arguments.seconds))
    return int(bool(differences) or plain.spent != killed.spent)


def _further(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*.[jp][pn]g")) if folder.is_dir() else []
    return [path for path in paths if not path.stem.endswith(".matte")]


if __name__ == "__main__":
    sys.exit(main())
