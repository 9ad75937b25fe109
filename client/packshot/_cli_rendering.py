"""What `packshot render` does for one photo, and what it says of all."""

import sys
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

import click

from packshot import Client, OverloadedError, Packshot, PackshotError, RenderOptions, Verdict
from packshot._cli_batch import Interruption
from packshot._cli_output import say, write_picture
from packshot._cli_targets import Job, Plan
from packshot._options import Photo

# How long a photo is brought again to a service that is full, s.
_PATIENCE_S = 60.0
# How many files of a kind are named before the rest are counted.
_SHOWN = 20


class _Outcome(NamedTuple):
    """What is said of a packshot that is written; without the picture, since there are many."""

    notes: tuple[str, ...]
    verdict: Verdict | None


class _NotBegunError(Exception):
    """The service had no room for a photo until somebody wanted an end."""


class Rendering:
    """What is done for one photo."""

    def __init__(
        self,
        client: Client,
        options: RenderOptions,
        interruption: Interruption,
        work: Plan,
        *,
        overwrite: bool,
    ) -> None:
        self._client = client
        self._options = options
        self._interruption = interruption
        self._overwrite = overwrite
        # Read here, where Ctrl-C ends it: there is one photo then, and it is not under way yet.
        reads = any(job.source.path is None for job in work.jobs)
        self._standard_input = sys.stdin.buffer.read() if reads else b""

    def render(self, job: Job) -> _Outcome:
        """Render a photo and write its packshot."""
        packshot = self._render_patiently(job.source.path or self._standard_input)
        if target := job.target(packshot.format):
            packshot.save(target, overwrite=self._overwrite)
        else:
            write_picture(packshot.picture)
        return _Outcome(packshot.notes, packshot.verdict)

    def _render_patiently(self, photo: Photo) -> Packshot:
        """Render a photo, and come back when a full service says to, as long as that helps."""
        give_up_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._client.render(photo, **self._options)
            except OverloadedError as error:
                delay_s = error.retry_after_s
                if delay_s is None or time.monotonic() + delay_s > give_up_s:
                    raise
                if self._interruption.wait(delay_s):
                    raise _NotBegunError from error


class Tally:
    """What became of the photos."""

    def __init__(self, work: Plan, *, require_compliance: bool) -> None:
        self.failed = 0
        self._rendered = 0
        self._not_begun = 0
        self._skipped = work.skipped
        self._require_compliance = require_compliance
        # On standard error, since standard output may be the picture.
        hidden = work.to_stdout or not sys.stderr.isatty()
        self.bar = click.progressbar(
            length=len(work.jobs), label="rendering", file=sys.stderr, hidden=hidden
        )
        self._hidden = hidden

    def report(self, job: Job, future: Future[_Outcome]) -> None:
        """Say what there is to say of a photo, and count it."""
        try:
            outcome = future.result()
        except _NotBegunError:
            self._not_begun += 1
        except (PackshotError, OSError, ValueError, MemoryError) as exc:
            self._say(f"error: {job.source.name}: {_reason(exc, job)}")
            self.failed += 1
        else:
            complies = self._say_outcome(job, outcome)
            if complies or not self._require_compliance:
                self._rendered += 1
            else:
                self.failed += 1
        with suppress(OSError):
            self.bar.update(1)

    def summary(self, left: int) -> str:
        """Say how many photos met which fate, of which so many were left."""
        parts = [f"{self._rendered} rendered", f"{self.failed} failed"]
        if self._skipped:
            parts.append(f"{self._skipped} there already")
        if left + self._not_begun:
            parts.append(f"{left + self._not_begun} not begun")
        return ", ".join(parts)

    def _say_outcome(self, job: Job, outcome: _Outcome) -> bool:
        """Say what is to be said of a packshot; return whether it complies with its preset."""
        for note in outcome.notes:
            self._say(f"note: {job.source.name}: {note}")
        verdict = outcome.verdict
        if verdict is None or verdict.complies:
            return True
        for check in verdict.checks:
            if not check.passed:
                rule = f"breaks a rule of {verdict.preset}"
                self._say(f"{rule}: {job.source.name}: {check.explanation}")
        return False

    def _say(self, text: str) -> None:
        if not self._hidden:
            say("")  # the bar's line has no end
        say(text)


def _reason(exc: Exception, job: Job) -> str:
    """Say why a photo has failed; of a file's error without its number."""
    if isinstance(exc, OSError) and exc.strerror:
        # The photo's own name is said already.
        other = exc.filename not in {None, str(job.source.path)}
        return f"{exc.filename}: {exc.strerror}" if other else exc.strerror
    return str(exc) or "it takes too much memory"


def say_plan(work: Plan) -> None:
    """Name what is not rendered, and what is not named as its photo is."""
    for path, why in work.left_out[:_SHOWN]:
        say(f"left out: {path}: {why}")
    for source, packshot in work.kept_apart[:_SHOWN]:
        say(f"kept apart: {source.name}: the packshot is {packshot}")
    for kind, count in (("left out", len(work.left_out)), ("kept apart", len(work.kept_apart))):
        if count > _SHOWN:
            say(f"{kind}: {count - _SHOWN} more")
