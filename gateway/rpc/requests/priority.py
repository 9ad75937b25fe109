"""The priority of a request: in its metadata, and then in its message."""

from typing import Final

from gateway.admission.priority import Priority
from gateway.rpc.requests.checks import one_of
from packshot.v1 import packshot_pb2 as pb

# The metadata in which a client may give the priority before the message has come.
PRIORITY_METADATA: Final = "packshot-priority"

_PRIORITIES: Final[dict[int, Priority]] = {
    pb.PRIORITY_UNSPECIFIED: Priority.INTERACTIVE,
    pb.PRIORITY_INTERACTIVE: Priority.INTERACTIVE,
    pb.PRIORITY_BULK: Priority.BULK,
}


def read_priority(priority: int) -> Priority:
    """Read a priority; unspecified is interactive.

    Raises:
        InvalidOptionError: It is unknown.
    """
    return one_of("priority", priority, _PRIORITIES)


def announced_priority(word: object) -> Priority:
    """Read the metadata: bulk if it says so, interactive in all other cases."""
    return Priority.BULK if word == Priority.BULK.label else Priority.INTERACTIVE
