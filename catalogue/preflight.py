"""What is asked of the gateways before a job begins, so that an error is told at once."""

import time
from collections.abc import Callable

from catalogue.backoff import Backoff
from catalogue.errors import InputError, StoppedError
from catalogue.orders import Connection
from packshot import (
    Client,
    OverloadedError,
    PackshotError,
    RenderOptions,
    Security,
    UnavailableError,
)

_TIMEOUT_S = 10.0


def check_gateways(
    connection: Connection, options: RenderOptions, say: Callable[[str], None]
) -> None:
    """Wait for a gateway, and check that it has what the options name.

    Raises:
        InputError: There is no such model or preset, or a gateway refuses the key.
        StoppedError: No gateway has answered before the patience was at its end.
    """
    backoff = Backoff()
    give_up_s = time.monotonic() + connection.patience_s
    attempt = 1
    while True:
        errors = []
        for target in connection.targets:
            try:
                _check(connection, target, options)
            except (UnavailableError, OverloadedError) as exc:
                errors.append(exc)
            except (PackshotError, ValueError, OSError) as exc:
                raise InputError(f"{target}: {exc}") from exc
        if len(errors) < len(connection.targets):
            return
        if time.monotonic() > give_up_s:
            raise StoppedError(f"no gateway answers: {errors[0]}")
        if attempt == 1:
            say(f"waiting for a gateway: {errors[0]}")
        time.sleep(backoff.pause_s(min(attempt, 4)))
        attempt += 1


def _check(connection: Connection, target: str, options: RenderOptions) -> None:
    security: Security = {**connection.security}  # type: ignore[typeddict-item]
    with Client(target, timeout_s=_TIMEOUT_S, retries=False, **security) as client:
        if model := options.get("model"):
            models = {each.name for each in client.models()}
            if model not in models:
                raise InputError(
                    f"{target} has no model {model!r}; it has {', '.join(sorted(models))}"
                )
        presets = {each.name for each in client.presets()}
        if (preset := options.get("preset")) and preset not in presets:
            raise InputError(
                f"{target} has no preset {preset!r}; it has {', '.join(sorted(presets))}"
            )
