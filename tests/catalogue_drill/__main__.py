"""`python -m tests.catalogue_drill`: 2000 photos, undisturbed and disturbed, and what it costs."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.catalogue_drill.beside import beside, closed_loop
from tests.catalogue_drill.drill import hold, usual_kills
from tests.catalogue_drill.photos import make_photos
from tests.catalogue_drill.stack import running

_BATCH = 32
_WARM_UP = 40


def main() -> int:
    """Hold the drill; returns 1 if the end states differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.catalogue_drill", description=__doc__)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--side-px", type=int, default=512)
    parser.add_argument("--evaluation", default="../shared/photos", help="further photos")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each side beside the job")
    arguments = parser.parse_args()
    sources = sorted(Path("samples").glob("*.jpg"))
    sources += [
        path
        for path in sorted(Path(arguments.evaluation).glob("*.[jp][pn]g"))
        if not path.stem.endswith(".matte")
    ]
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "stack") as stack:
        folder = Path(name)
        photos, few = folder / "photos", folder / "few"
        make_photos(photos, arguments.photos, sources, arguments.side_px)
        make_photos(few, max(_WARM_UP, arguments.photos // 10), sources, arguments.side_px)
        print("a tenth of the photos:", hold(stack, few, *_size(few), folder / "a", [], _BATCH))
        plain = hold(stack, photos, *_size(photos), folder / "b", [], _BATCH)
        print("undisturbed:", plain)
        killed = hold(
            stack, photos, *_size(photos), folder / "c", usual_kills(stack), _BATCH
        )
        print("killed:", killed)
        differences = plain.state.differences(killed.state)
        print(f"{len(differences)} differences {differences[:5]}")
        stack.wait()
        asyncio.run(closed_loop(stack, photos, folder / "b", folder / "d"))
        asyncio.run(beside(stack, photos, folder / "e", arguments.seconds))
    return int(bool(differences) or plain.spent != killed.spent)


def _size(folder: Path) -> tuple[int]:
    return (sum(1 for path in folder.rglob("*") if path.is_file()),)


if __name__ == "__main__":
    sys.exit(main())
