"""Admission: what may be in the service at once, who goes first, and who must come back later."""

from gateway.admission.admission import Admission
from gateway.admission.limits import AdmissionLimits, Limit
from gateway.admission.reservation import Reservation

__all__ = ["Admission", "AdmissionLimits", "Limit", "Reservation"]
