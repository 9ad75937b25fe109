"""Keeps a watch over every model that Triton has loaded, at the start or later."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from serving.errors import TritonApiError

log = logging.getLogger(__name__)


class Watch(Protocol):
    """The watch over one model."""

    def look(self) -> None:
        """Judge the model once, and replace it if need be."""


class Supervisor:
    """Watches every model that is or gets loaded, each in a thread of its own.

    Args:
        list_models: Lists the models that are loaded.
        make_watch: Makes the watch over a model.
        is_over: Whether Triton has been told to stop: what goes missing then is no fault.
        interval_s: Time between two looks.
    """

    def __init__(
        self,
        list_models: Callable[[], list[str]],
        make_watch: Callable[[str], Watch],
        is_over: Callable[[], bool],
        interval_s: float,
    ) -> None:
        self._is_over = is_over
        self._list_models = list_models
        self._make_watch = make_watch
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._watched: set[str] = set()

    def start(self) -> None:
        """Start watching in the background."""
        self._spawn("models", self._discover)

    def stop(self) -> None:
        """Stop watching; a look that is under way has no further effect worth waiting for."""
        self._stop.set()

    def _discover(self) -> None:
        try:
            ready = self._list_models()
        except TritonApiError:
            return
        for model in ready:
            if model not in self._watched:
                self._watched.add(model)
                self._spawn(model, self._make_watch(model).look)

    def _spawn(self, name: str, look: Callable[[], None]) -> None:
        def repeat() -> None:
            while not self._stop.is_set() and not self._is_over():
                try:
                    look()
                except Exception:  # the watch must outlive whatever a look meets
                    if not self._stop.is_set():
                        log.exception("watching %r failed", name)
                self._stop.wait(self._interval_s)

        threading.Thread(target=repeat, name=f"watch-{name}", daemon=True).start()
