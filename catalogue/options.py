"""Render options in text, as the command line and manifests have them, and what names a render."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

import click

from catalogue.errors import InputError
from packshot import RenderOptions
from packshot._cli_render import render as render_command
from packshot._request import to_template

# A job's photos have priority "bulk" and keys of the job's.
_OWN = {"priority", "idempotency_key"}
# The options of `packshot render` that say how a packshot looks.
PARAMETERS = {
    str(parameter.name): parameter
    for parameter in render_command.params
    if parameter.name in RenderOptions.__annotations__ and parameter.name not in _OWN
}
_SUFFIX_OF = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "avif": ".avif"}


def parse_own(text: str) -> RenderOptions:
    """Read a photo's own options.

    Args:
        text: A JSON object of texts, each as `packshot render` takes it; empty: none.

    Raises:
        InputError: A value is none that the option can have.
    """
    if not text:
        return RenderOptions()
    found: dict[str, Any] = {}
    for name, value in json.loads(text).items():
        parameter = PARAMETERS[name]
        try:
            found[name] = parameter.type(value, parameter, None)
        except click.BadParameter as exc:
            raise InputError(f"{name} is {value!r}: {exc.message}") from exc
    return cast("RenderOptions", found)


def merged(options: RenderOptions, own: RenderOptions) -> RenderOptions:
    """Return a photo's options, its own before the job's, the file's format decided.

    The format decides on the file's name, so it is known before the photo is rendered.
    """
    both = cast("RenderOptions", {**options, **own})
    if both.get("format") is None:
        both["format"] = "png" if _needs_alpha(both) else "jpeg"
    return both


def check(options: RenderOptions) -> None:
    """Check options as far as that goes without the service.

    Raises:
        InputError: A value is none that the option can have, or two contradict each other.
    """
    try:
        to_template(options)
    except (ValueError, TypeError, OSError) as exc:
        raise InputError(str(exc)) from exc


def suffix(options: RenderOptions) -> str:
    """Return the suffix of the files that options make, as `.jpg`."""
    return _SUFFIX_OF[options.get("format") or "jpeg"]


def digest(options: RenderOptions) -> str:
    """Return a name for what options ask for: equal for equal packshots, 64 hexadecimal digits."""
    template = to_template(cast("RenderOptions", {**options, "priority": None}))
    template.ClearField("idempotency_key")
    return hashlib.sha256(template.SerializeToString(deterministic=True)).hexdigest()


def key(work: str, input_digest: str) -> str:
    """Return the idempotency key of one render.

    Args:
        work: Of job, photo and options, as `catalogue.plan` makes it.
        input_digest: SHA-256 of the photo's bytes.
    """
    return "catalogue-" + hashlib.sha256(f"{work} {input_digest}".encode()).hexdigest()


def as_json(own: Mapping[str, str]) -> str:
    """Return a photo's own options as `parse_own` reads them; empty for none."""
    return json.dumps(own, sort_keys=True) if own else ""


def _needs_alpha(options: RenderOptions) -> bool:
    return options.get("background") == "transparent" or options.get("content") in {"mask", "alpha"}
