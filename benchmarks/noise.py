"""From when on a ratio says more of the machine than of what was measured: the same everywhere."""

from typing import Final

# Of spread over rounds or repeats; above it, records carry a note.
NOISY_SHARE: Final = 0.1
