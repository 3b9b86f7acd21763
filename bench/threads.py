"""One thread for everybody. Imported before any numerical library, which reads these variables once, when it loads."""

from __future__ import annotations

import os

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "QISKIT_NUM_PROCS",
    "RAYON_NUM_THREADS",
)


def use_one_thread() -> None:
    """Set the variables for this process and its children."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    # The qdk package reports home unless told not to.
    os.environ["QDK_PYTHON_TELEMETRY"] = "none"
