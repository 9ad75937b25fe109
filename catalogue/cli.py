"""`python -m catalogue run` and `python -m catalogue report`."""

import sys
from pathlib import Path
from typing import Any, cast

import click

from catalogue.errors import CatalogueError, InputError, StoppedError
from catalogue.job import Job, run_job
from catalogue.options import PARAMETERS
from catalogue.orders import Connection
from catalogue.places import Place
from catalogue.report import Prices, write_report
from catalogue.sample import SHEET, write_contact_sheet
from packshot import RenderOptions, Security
from packshot._channel import DEFAULT_TARGET

_FAILED, _WRONG, _STOPPED, _INTERRUPTED = 1, 2, 3, 130
_FILE = click.Path(exists=True, dir_okay=False)


@click.group()
def main() -> None:
    """Render catalogues of photos by a job on Ray, and report on them."""


@main.command()
@click.option(
    "--input",
    "source",
    required=True,
    metavar="FOLDER|GLOB|MANIFEST",
    help="The photos: a folder, a glob, or a manifest (.parquet, .csv, .jsonl), local or s3://…",
)
@click.option("--output", required=True, metavar="FOLDER|URI", help="Where packshots go.")
@click.option(
    "--target",
    default=DEFAULT_TARGET,
    show_default=True,
    envvar="PACKSHOT_TARGET",
    show_envvar=True,
    metavar="HOST:PORT,…",
    help="The gateways; several share the work.",
)
@click.option(
    "--job",
    "name",
    default="catalogue",
    show_default=True,
    help="Name of the job. A photo is rendered once in a job; another name renders it anew.",
)
@click.option(
    "--where",
    default="",
    metavar="SQL",
    help="Pick photos by the manifest's columns and `result`, the photo's latest row, such as "
    '"result.status = \'failed\'" or "result.confidence < 0.6".',
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    help=f"Render so many of the photos, and write a contact sheet, {SHEET}.",
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Ray actors.")
@click.option(
    "--window",
    type=click.IntRange(1, 1024),
    default=16,
    show_default=True,
    help="Most photos in flight at each gateway, of each worker.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 100_000),
    default=64,
    show_default=True,
    help="Photos of a batch: what a killed worker does again, and one file of results.",
)
@click.option(
    "--patience-s",
    type=click.FloatRange(1),
    default=900.0,
    show_default=True,
    help="Seconds without an answer of any gateway after which the job stops.",
)
@click.option(
    "--silence-s",
    type=click.FloatRange(1),
    default=300.0,
    show_default=True,
    help="Seconds without an answer after which photos are taken from a gateway.",
)
@click.option(
    "--metrics-port", type=click.IntRange(1, 65535), help="Show metrics there, on this machine."
)
@click.option("--api-key", envvar="PACKSHOT_API_KEY", show_envvar=True, help="The API key.")
@click.option("--plaintext-key", is_flag=True, help="Send the key without TLS.")
@click.option("--tls", is_flag=True, envvar="PACKSHOT_TLS", show_envvar=True, help="Speak TLS.")
@click.option("--ca", type=_FILE, envvar="PACKSHOT_CA", show_envvar=True, help="The service's CAs.")
@click.option("--cert", type=_FILE, envvar="PACKSHOT_CERT", show_envvar=True)
@click.option("--key", type=_FILE, envvar="PACKSHOT_KEY", show_envvar=True)
def run(
    source: str,
    output: str,
    target: str,
    name: str,
    where: str,
    sample: int | None,
    workers: int,
    window: int,
    batch: int,
    patience_s: float,
    silence_s: float,
    metrics_port: int | None,
    **others: Any,
) -> None:
    """Render a catalogue. The same command goes on where a run was broken off.

    The status is 0 if every photo of this run has a packshot, 1 if some have none, 2 after wrong
    usage, 3 if the job had to stop, and 130 after Ctrl-C.
    """
    options = cast("RenderOptions", {each: others.pop(each) for each in PARAMETERS})
    connection = Connection(
        tuple(filter(None, target.split(","))), _security(others), window, patience_s, silence_s
    )
    job = Job(
        *(source, output, connection, options, name, where, sample, workers, batch, metrics_port)
    )
    try:
        summary = run_job(job, _say)
        if sample:
            _say(f"the contact sheet: {write_contact_sheet(Place(output), sample)}")
    except StoppedError as exc:
        _say(f"stopped: {exc}\nthe same command goes on")
        sys.exit(_STOPPED)
    except CatalogueError as exc:
        _say(f"error: {exc}")
        sys.exit(_WRONG)
    except KeyboardInterrupt:
        _say("broken off; the same command goes on")
        sys.exit(_INTERRUPTED)
    rate = summary.rendered / summary.seconds if summary.seconds else 0.0
    repeats = "".join(f", {count} for {why}" for why, count in summary.repeats.items())
    _say(
        f"{summary.rendered} rendered, {summary.failed} failed, "
        f"{sum(summary.repeats.values())} sent again{repeats}, "
        f"{summary.seconds:.1f} s, {rate:.1f} a second; {summary.rows} rows of results, "
        f"{summary.most_resident_bytes / 2**20:.0f} MiB the largest worker"
    )
    sys.exit(_FAILED if summary.failed else 0)


run.params.extend(PARAMETERS.values())


@main.command()
@click.option("--output", required=True, metavar="FOLDER|URI", help="The output of a job.")
@click.option(
    "--to",
    default="catalogue.html",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page goes.",
)
@click.option("--where", default="", metavar="SQL", help="Report on rows that this is true of.")
@click.option(
    "--pictures",
    type=click.IntRange(0, 200),
    default=24,
    show_default=True,
    help="How many to show.",
)
@click.option(
    "--machine-hour-price",
    type=click.FloatRange(0),
    help="Price of an hour of the machines that rendered, for the cost.",
)
@click.option("--credit-price", type=click.FloatRange(0), help="Price of a credit, for the cost.")
def report(
    output: str,
    to: Path,
    where: str,
    pictures: int,
    machine_hour_price: float | None,
    credit_price: float | None,
) -> None:
    """Write one page on a job: counts, failures, verdicts, times, and what to look at."""
    try:
        prices = Prices(machine_hour_price, credit_price)
        rows = write_report(Place(output), to, where=where, pictures=pictures, prices=prices)
    except (InputError, OSError) as exc:
        _say(f"error: {exc}")
        sys.exit(_WRONG)
    _say(f"{rows} photos: {to}")


def _security(given: dict[str, Any]) -> Security:
    """Read the files of TLS here, since workers may be on other machines."""
    for name in ("ca", "cert", "key"):
        if given.get(name):
            given[name] = Path(given[name]).read_bytes()
    given["tls"] = given["tls"] or None
    return cast("Security", given)


def _say(text: str) -> None:
    click.echo(text, err=True)
