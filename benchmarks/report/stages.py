"""Where a photo's time goes: the stages that the replies report."""

from collections.abc import Iterator, Sequence
from statistics import median

from matplotlib.patches import Patch

from benchmarks.report.style import INK, Chart, colour, panels
from benchmarks.results_folder import ASKED, Row, Saved, machine_name

_LEGEND_COLUMNS = 6
_BAR_IN = 0.34
_LEAST_IN = 2.4
_NARROW = 0.06  # of the longest bar: a number does not fit into less
# What is no work, but waiting for it, is grey.
_GREYS = {"queue": "#c3cad1", "waiting": "#e4e7eb", "outside": "#7b8794"}


def stage_charts(saved: Saved) -> Iterator[Chart]:
    """Draw a bar for every load, its stages one after the other."""
    for number, record in enumerate(saved.of("load"), start=1):
        rows = [row for row in record.rows if stages_of(row)]
        if not rows:
            continue
        bars = _joined(rows)
        figure, (axes,) = panels(1, height_in=max(_LEAST_IN, 1.2 + _BAR_IN * len(bars)))
        names = list(dict.fromkeys(name for stages in bars.values() for name in stages))
        shades = _shades(names)
        longest = max(sum(stages.values()) for stages in bars.values())
        for at, stages in enumerate(bars.values()):
            left = 0.0
            for name in names:
                width = stages.get(name, 0.0)
                axes.barh(at, width, left=left, height=0.66, color=shades[name])
                if width > _NARROW * longest:
                    axes.text(
                        left + width / 2,
                        at,
                        f"{width:.0f}",
                        ha="center",
                        va="center",
                        color=INK if name in _GREYS else "white",
                        fontsize=8,
                    )
                left += width
        axes.set_yticks(range(len(bars)), labels=list(bars))
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("ms of a photo, mean")
        handles = [Patch(color=shades[name]) for name in names]
        figure.legend(
            handles=handles, labels=names, loc="outside upper left", ncols=_LEGEND_COLUMNS
        )
        yield Chart(
            f"stages-{number}" if number > 1 else "stages",
            "Where a photo's time goes",
            "Each bar is a photo's way through the service under one load, stage by stage, as the "
            "replies report it. Only waiting grows with the load.",
            machine_name(record),
            figure,
        )


def _shades(names: Sequence[str]) -> dict[str, str]:
    work = [name for name in names if name not in _GREYS]
    return {**{name: colour(index) for index, name in enumerate(work)}, **_GREYS}


def stages_of(row: Row) -> dict[str, float]:
    """Return the stages of a row of load, ms by name."""
    return {
        key.removeprefix("stage_").removesuffix("_ms"): value
        for key, value in row.items()
        if key.startswith("stage_") and key.endswith("_ms") and value is not None
    }


def _load_of(row: Row) -> str:
    asked = row.get(ASKED)
    return f"{row.get('concurrency')} at once" if asked is None else f"{asked:.3g}/s"


def _joined(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Take medians over repeats of the same load."""
    by_load: dict[str, list[dict[str, float]]] = {}
    for row in rows:
        by_load.setdefault(f"{row['mode']}, {_load_of(row)}", []).append(stages_of(row))
    return {
        load: {name: median(one.get(name, 0.0) for one in found) for name in found[0]}
        for load, found in by_load.items()
    }
