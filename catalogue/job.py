"""A job from its photos to its results: what the command does, as a function for any driver."""

import logging
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa

from catalogue import telemetry
from catalogue.errors import InputError, OutputError, StoppedError
from catalogue.inputs import read_photos
from catalogue.options import check, merged
from catalogue.orders import Connection
from catalogue.places import Place
from catalogue.plan import Plan, Selection, items_of, make_plan, short
from catalogue.preflight import check_gateways
from catalogue.progress import Progress
from catalogue.results import Results, part_name
from catalogue.rows import as_table, failed, row
from catalogue.worker import CALLS, Work, Worker
from packshot import RenderOptions

# Photos of one execution of Ray Data, so that its bookkeeping stays small.
_WAVE = 500_000
_PROBE = "_results/.writable"
# Only paths travel through Ray's object store.
_OBJECT_STORE_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be rendered, how, and by whom.

    Attributes:
        input: A folder, a glob or a manifest; local or of any store that fsspec opens.
        output: A folder or the prefix of a store.
        connection: The gateways.
        options: Of all photos.
        name: Of the job: a photo with the same options is rendered once in a job of one name.
        where: SQL that picks photos; empty: all.
        sample: Render so many; None: all.
        workers: Ray actors.
        batch: Photos of a batch; each becomes one part of the result table.
        metrics_port: Where metrics are shown; None: nowhere.
    """

    input: str
    output: str
    connection: Connection
    options: RenderOptions = field(default_factory=RenderOptions)
    name: str = "catalogue"
    where: str = ""
    sample: int | None = None
    workers: int = 2
    batch: int = 64
    metrics_port: int | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a run.

    Attributes:
        plan: What it was to do.
        rendered: Photos that have a packshot by this run.
        failed: Photos that have none; each has a row that says why.
        repeats: Times that a photo was sent again, by reason.
        seconds: From the first batch to the last.
        rows: Rows of the result table in the end.
        most_resident_bytes: The most memory that any worker had.
    """

    plan: Plan
    rendered: int
    failed: int
    repeats: Mapping[str, int]
    seconds: float
    rows: int
    most_resident_bytes: int


def run_job(job: Job, say: Callable[[str], None] = print) -> Summary:
    """Render what has no result yet. Killed at any moment, the same call goes on.

    Args:
        job: What to do.
        say: Takes what a person may want to know, line by line.

    Raises:
        InputError: The photos, an option or the selection is at fault; nothing has been rendered.
        OutputError: The output cannot be written; nothing has been rendered.
        StoppedError: The job cannot go on now: no gateway, no credit, or the key is refused.
    """
    options = merged(job.options, RenderOptions())
    options["priority"] = "bulk"
    check(options)
    output = _open_output(job)
    plan = _plan(job, options, output, say)
    if plan.todo.num_rows:
        check_gateways(job.connection, options, say)
    work = Work(job.connection, options, output, job.name, uuid.uuid4().hex)
    results = Results(output)
    _write_bad(plan, work, results)
    with telemetry.shown(job.metrics_port) as metrics:
        progress = Progress(plan.todo.num_rows, metrics, say)
        try:
            if plan.todo.num_rows:
                _render(job, work, plan.todo, progress)
        finally:
            progress.close()
    seconds = progress.seconds
    rows = results.compact()
    counts = progress.counts
    return Summary(
        *(plan, counts["ok"], counts["failed"] + plan.bad.num_rows, progress.repeats, seconds),
        *(rows, progress.most_resident_bytes),
    )


def _plan(job: Job, options: RenderOptions, output: Place, say: Callable[[str], None]) -> Plan:
    photos = read_photos(job.input)
    if photos.left_out:
        say(f"left out, no pictures by their names: {short(photos.left_out)}")
    selection = Selection(options, job.name, job.where, job.sample)
    plan = make_plan(photos.table, Results(output), selection)
    if plan.options or plan.others:
        say(
            f"the manifest's options: {short(plan.options) or 'none'}; "
            f"for --where alone: {short(plan.others) or 'none'}"
        )
    say(
        f"{plan.selected} photos: {plan.done} have their result, {plan.bad.num_rows} are bad rows, "
        f"{plan.todo.num_rows} to render"
    )
    if plan.renewed:
        say(
            f"{plan.renewed} of them have a result of other options, of another job, or one that "
            "may pass now; it is replaced"
        )
    return plan


def _open_output(job: Job) -> Place:
    """Open the output, and try whether it can be written."""
    try:
        output = Place(job.output)
        output.write(_PROBE, b"")
        output.delete(_PROBE)
    except (OSError, InputError) as exc:
        raise OutputError(f"the output {job.output!r} cannot be written: {exc}") from exc
    return output


def _write_bad(plan: Plan, work: Work, results: Results) -> None:
    """Give each row that is no photo its row in the results."""
    if not plan.bad.num_rows:
        return
    problems = plan.bad["problem"].to_pylist()
    items = items_of(plan.bad)
    rows = [
        row(item, work.job, failed("BAD_ROW", problem, may_pass=False))
        for item, problem in zip(items, problems, strict=True)
    ]
    results.write(part_name(work.run, (item.work for item in items)), as_table(rows))


def _render(job: Job, work: Work, todo: pa.Table, progress: Progress) -> None:
    """Have Ray's actors render photos, and follow them."""
    with _ray(job):
        for start in range(0, todo.num_rows, _WAVE):
            for tally in _tallies(job, work, todo.slice(start, _WAVE)):
                progress.take(tally)
                if tally["stopped"]:
                    raise StoppedError(tally["stopped"])


def _tallies(job: Job, work: Work, todo: pa.Table) -> Iterator[dict[str, Any]]:
    import ray.data  # noqa: PLC0415  it takes seconds, and what is wrong is told before

    batch = max(1, min(job.batch, -(-todo.num_rows // job.workers)))
    blocks = [todo.slice(at, batch).combine_chunks() for at in range(0, todo.num_rows, batch)]
    # Unlike `from_arrow` it needs no task of Ray for each block.
    done = ray.data.from_blocks(blocks).map_batches(
        Worker,
        fn_constructor_args=(work,),
        batch_format="pyarrow",
        batch_size=None,
        # Ray's share of a core: the photos' work is the gateway's.
        num_cpus=0.25,
        compute=ray.data.ActorPoolStrategy(
            size=min(job.workers, len(blocks)),
            max_tasks_in_flight_per_actor=CALLS + 1,
            max_concurrent_calls_per_actor=CALLS,
            enable_true_multi_threading=True,
        ),
    )
    for table in done.iter_batches(batch_size=None, batch_format="pyarrow"):
        yield from cast("pa.Table", table).to_pylist()


@contextmanager
def _ray(job: Job) -> Iterator[None]:
    """Join the cluster that RAY_ADDRESS names or a job is submitted to, else run Ray here."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray  # noqa: PLC0415
    import ray.data  # noqa: PLC0415

    if ray.is_initialized():
        yield
        return
    here: dict[str, Any] = {
        # Not a cluster that happens to run on this machine, or that once did.
        "address": "local",
        "num_cpus": job.workers,
        "object_store_memory": _OBJECT_STORE_BYTES,
        "include_dashboard": False,
        "logging_level": logging.WARNING,
        "log_to_driver": False,
    }
    try:
        ray.init(**({} if os.environ.get("RAY_ADDRESS") else here))
    except Exception as exc:
        # Ray gives its node 30 s, which a busy machine may exceed; it raises a plain Exception.
        ray.shutdown()
        raise StoppedError(f"Ray does not start: {exc}") from exc
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # Each call of a worker would read all of its memory's maps every second.
    context.memory_usage_poll_interval_s = None
    try:
        yield
    finally:
        ray.shutdown()
