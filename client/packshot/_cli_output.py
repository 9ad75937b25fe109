"""What `packshot render` says on standard error and writes to standard output."""

import os
import sys
from contextlib import suppress

import click


def printable(text: str) -> str:
    """Escape what a terminal would obey and what no text can hold; the result is one line."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def say(text: str) -> None:
    """Write a line to standard error; nothing fails because nobody can read it."""
    with suppress(OSError, ValueError):
        click.echo(printable(text), err=True)


def write_picture(picture: bytes) -> None:
    """Write a picture to standard output, to its last byte.

    Raises:
        OSError: It cannot be written.
    """
    try:
        sys.stdout.buffer.write(picture)
        sys.stdout.buffer.flush()
    except OSError:
        # What is left in the buffer is tried again at the process's end, and would fail again.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def fill_closed_streams() -> None:
    """Give standard streams that were closed before the start to the null device.

    Otherwise the next file that is opened, a packshot's, would get their number, and what libraries
    write to standard error would land in it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.dup(2), "w")
