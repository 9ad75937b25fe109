"""What a thousand images cost."""

from collections.abc import Iterator

from benchmarks.report.style import Chart, colour, decades, panels
from benchmarks.results_folder import Saved, machine_name

_BAR_IN = 0.36


def cost_charts(saved: Saved) -> Iterator[Chart]:
    """Draw a dot for each price of everything that was measured, cheapest first."""
    for number, record in enumerate(saved.of("cost"), start=1):
        rows = [row for row in record.rows if row["kind"] == "price"]
        if not rows:
            continue
        cheapest: dict[str, float] = {}
        for row in rows:
            name, price = _what(row["what"], row["device"]), row["price_per_1000_images"]
            cheapest[name] = min(price, cheapest.get(name, price))
        names = sorted(cheapest, key=lambda name: cheapest[name])
        prices = list(dict.fromkeys(str(row["price"]) for row in rows))
        figure, (axes,) = panels(1, height_in=1.4 + _BAR_IN * len(names))
        for index, price in enumerate(prices):
            own = [row for row in rows if row["price"] == price]
            ys = [names.index(_what(row["what"], row["device"])) for row in own]
            axes.scatter(
                [row["price_per_1000_images"] for row in own],
                ys,
                s=42,
                color=colour(index),
                label=price,
            )
        axes.set_yticks(range(len(names)), labels=names, fontsize=8.5)
        axes.invert_yaxis()
        axes.set_xscale("log")
        decades(axes.xaxis)
        axes.set_xlabel(f"{rows[0]['currency']} for 1000 images, on a machine that is always busy")
        figure.legend(loc="outside upper left", ncols=3)
        yield Chart(
            f"cost-{number}" if number > 1 else "cost",
            "What a thousand images cost",
            "Measured throughput, priced by the hour; further left is cheaper, each step of the "
            "grid ten times. Prices are those of the user's table and no offer of anybody; passes "
            "alone lack decoding and encoding.",
            machine_name(record),
            figure,
        )


def _what(what: str, device: str) -> str:
    return f"{what}, GPU" if device == "gpu" else what
