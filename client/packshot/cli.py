"""`packshot`: the service from a command line."""

import sys

try:
    import click
except ImportError:
    sys.exit("the command needs the extra `cli`: pip install 'packshot[cli]'")

from packshot import Client, PackshotError
from packshot._channel import DEFAULT_TARGET, DEFAULT_TIMEOUT_S
from packshot._cli_render import render

_FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
@click.version_option(package_name="packshot")
@click.pass_context
def main(context: click.Context, target: str, timeout_s: float) -> None:
    """Product photos in, packshots out.

    Exit status: 0 everything done, 1 something failed, 2 wrong usage.
    """
    context.obj = context.with_resource(Client(target, timeout_s=timeout_s))


main.add_command(render)


@main.command()
@click.pass_obj
def models(client: Client) -> None:
    """List the models that the service can cut with."""
    try:
        found = client.models()
    except PackshotError as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(_FAILED)
    width = max((len(model.name) for model in found), default=0)
    for model in found:
        state = f"version {model.version}" if model.ready else "not ready"
        size = f"{model.input_width_px}x{model.input_height_px}" if model.ready else ""
        default = "default" if model.is_default else ""
        click.echo(f"{model.name:{width}}  {state:<11}  {size:<9}  {default}".rstrip())


@main.command()
@click.pass_obj
def health(client: Client) -> None:
    """Exit with 0 if the service is ready to render, with 1 if not."""
    try:
        ready = client.healthy()
    except PackshotError as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(_FAILED)
    click.echo("ready" if ready else "not ready")
    sys.exit(0 if ready else _FAILED)


if __name__ == "__main__":
    main()
