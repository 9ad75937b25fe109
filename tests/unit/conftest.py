"""One thread a worker: several workers share the cores, and waiting threads spin on them."""

import os

# OpenMP and OpenBLAS read it when they are loaded: here, before any test's imports.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
