"""The gateway's door: what is inside at once, who goes first, and who comes back later."""

from gateway.admission.admission import Admission
from gateway.admission.bounds import Bound, Bounds
from gateway.admission.place import Place

__all__ = ["Admission", "Bound", "Bounds", "Place"]
