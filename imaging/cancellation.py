"""Whether a step shall go on: asked between its parts, since a step that runs cannot be stopped."""

from collections.abc import Callable
from typing import TypeAlias

# Raises what ends the step, or returns.
Check: TypeAlias = Callable[[], None]


def go_on() -> None:
    """Let a step run to its end."""
