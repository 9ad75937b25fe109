"""The price of an hour: the user's table."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_IMAGES = 1000  # that a price is told for
S_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Prices:
    """The table."""

    currency: str  # of all prices
    core_hour: Mapping[str, float]  # by the price's name
    # By the price's name: part of the name that nvidia-smi gives, and the price of the machine
    gpu_hour: Mapping[str, tuple[str, float]]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a TOML file as `benchmarks/prices.example.toml` shows it.

        Raises:
            ValueError: The file cannot be read or says something else.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
            core_hour = {name: _price(value) for name, value in values["core_hour"].items()}
            gpu_hour = {
                name: (str(one["gpu"]), _price(one["price"]))
                for name, one in values.get("gpu_hour", {}).items()
            }
            return cls(str(values["currency"]), core_hour, gpu_hour)
        except (OSError, tomllib.TOMLDecodeError) as exc:
            raise ValueError(f"{path} cannot be read as a table of prices: {exc}") from exc
        except (KeyError, TypeError, AttributeError) as exc:
            raise ValueError(f"{path} is no table of prices: {exc!r} is missing or odd") from exc

    def of_machine(self, machine: Mapping[str, Any], *, gpu: bool) -> Iterator[tuple[str, float]]:
        """Price an hour of a machine by every price that fits it.

        Yields:
            The price's name and what the whole machine costs for an hour.
        """
        if not gpu:
            for name, price in self.core_hour.items():
                yield name, price * machine["cores"]
            return
        model = str(machine.get("gpu") or "").lower()
        for name, (part, price) in self.gpu_hour.items():
            if part.lower() in model.split():
                yield name, price


def per_1000_images(price_per_hour: float, images_per_s: float) -> float:
    """Return what a thousand images cost on a machine that is always busy."""
    return price_per_hour * _IMAGES / (images_per_s * S_PER_HOUR)


def _price(value: Any) -> float:
    price = float(value)
    if price < 0:
        raise ValueError(f"a price is negative: {value}")
    return price
