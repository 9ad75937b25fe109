"""`packshot`: the service from a command line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Unpack

try:
    import click
except ImportError:
    sys.exit("the command needs the extra `cli`: pip install 'packshot[cli]'")

from packshot import Client, ModelCard, PackshotError, Security
from packshot._channel import DEFAULT_TARGET, DEFAULT_TIMEOUT_S
from packshot._cli_batch import INTERRUPTED
from packshot._cli_output import fill_closed_streams, say
from packshot._cli_render import render

_FAILED = 1
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Commands(click.Group):
    """The commands; however one is ended, it is without a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command line."""
        fill_closed_streams()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("interrupted")
            ctx.exit(INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--target",
    envvar="PACKSHOT_TARGET",
    default=DEFAULT_TARGET,
    show_default=True,
    show_envvar=True,
    help="The gateway's address.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_TIMEOUT_S,
    show_default=True,
    help="Seconds that each call may take.",
)
@click.option(
    "--api-key",
    envvar="PACKSHOT_API_KEY",
    show_envvar=True,
    help="The API key; best given by the environment, which other users cannot see.",
)
@click.option(
    "--plaintext-key", is_flag=True, help="Send the API key to another machine without TLS."
)
@click.option(
    "--tls",
    is_flag=True,
    envvar="PACKSHOT_TLS",
    show_envvar=True,
    help="Speak TLS; --ca implies it.",
)
@click.option(
    "--ca",
    type=_FILE,
    envvar="PACKSHOT_CA",
    show_envvar=True,
    help="The CAs that the gateway's certificate may come from.",
)
@click.option(
    "--cert",
    type=_FILE,
    envvar="PACKSHOT_CERT",
    show_envvar=True,
    help="This client's certificate, for a gateway that wants one.",
)
@click.option(
    "--key", type=_FILE, envvar="PACKSHOT_KEY", show_envvar=True, help="That certificate's key."
)
@click.version_option(package_name="packshot")
@click.pass_context
def main(
    context: click.Context,
    /,
    target: str,
    timeout_s: float,
    **security: Unpack[Security],
) -> None:
    """Product photos in, packshots out.

    Exit status: 0 everything done, 1 something failed, 2 wrong usage, 130 interrupted.
    """
    try:
        client = Client(target, timeout_s=timeout_s, **security)
    except (ValueError, OSError) as exc:
        raise click.UsageError(str(exc)) from exc
    context.obj = context.with_resource(client)


main.add_command(render)


@main.command()
@click.pass_obj
def models(client: Client) -> None:
    """List the models that the service can cut with."""
    with _failing():
        found = client.models()
    width = max((len(model.name) for model in found), default=0)
    for model in found:
        state = f"version {model.version}" if model.ready else "not ready"
        size = f"{model.input_width_px}x{model.input_height_px}" if model.ready else ""
        default = "default" if model.is_default else ""
        click.echo(f"{model.name:{width}}  {state:<11}  {size:<9}  {default}".rstrip())
        for line in _card_lines(model.card):
            click.echo(f"  {line}")


@main.command()
@click.pass_obj
def presets(client: Client) -> None:
    """List the marketplaces' presets and their rules."""
    with _failing():
        found = client.presets()
    for preset in found:
        click.echo(f"{preset.name}: {preset.summary}")
        for rule in preset.rules:
            click.echo(f"  - {rule}")
        compared = f"compared on {preset.checked_on}" if preset.checked_on else "not compared yet"
        click.echo(f"  {preset.source} ({compared})")


@main.command()
@click.pass_obj
def account(client: Client) -> None:
    """Show the account of the API key: its credits and its rate limit."""
    with _failing():
        found = client.account()
    limit = f"{found.rate_limit_per_s:g} calls a second" if found.rate_limit_per_s else "no limit"
    click.echo(f"{found.name} ({found.key_id}), issued {found.created_at:%Y-%m-%d}, {limit}")
    click.echo(
        f"credits: {found.credits_left} left, {found.credits_held} held by renders under way, "
        f"{found.credits_spent} spent"
    )


@main.command()
@click.pass_obj
def health(client: Client) -> None:
    """Exit with 0 if the service is ready to render, with 1 if not."""
    with _failing():
        ready = client.healthy()
    click.echo("ready" if ready else "not ready")
    sys.exit(0 if ready else _FAILED)


def _card_lines(card: ModelCard | None) -> Iterator[str]:
    """Say in a few lines where a model comes from and how well it does."""
    if card is None:
        return
    precision = f", {card.precision}" if card.precision else ""
    yield f"{card.network}, {card.parameters:,} parameters{precision}; {card.licence}"
    for pictures, measures in card.measures.items():
        figures = ", ".join(f"{name} {value:.4g}" for name, value in measures.items())
        yield f"{pictures}: {figures}"
    for source in card.sources:
        yield f"from {source.description}: {source.origin} ({source.licence})"
    if card.training_command:
        yield f"trained by: {card.training_command}"


@contextmanager
def _failing() -> Iterator[None]:
    """Say what made a call fail, and exit."""
    try:
        yield
    except PackshotError as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(_FAILED)


if __name__ == "__main__":
    main()
