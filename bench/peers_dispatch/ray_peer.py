"""Ray alone: tasks on a local cluster, results in its object store; nothing survives the driver."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

from bench.peers_dispatch.circuit import PROGRAM, SHOTS, run
from bench.peers_dispatch.driving import Place, drive

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


class RayAlone:
    """`ray.remote` on so many processors."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._run = ray.remote(run)

    def all_at_once(self, jobs: int) -> list[dict[str, int]]:
        """One `get` for all, as its guide says."""
        found: list[dict[str, int]] = self._ray.get([self._run.remote(PROGRAM, SHOTS) for _ in range(jobs)])
        return found

    def one(self) -> dict[str, int]:
        """One task."""
        found: dict[str, int] = self._ray.get(self._run.remote(PROGRAM, SHOTS))
        return found


@contextlib.contextmanager
def open_side(place: Place) -> Iterator[RayAlone]:
    """A cluster of this machine alone."""
    import ray

    ray.init(
        address="local",  # another cluster on this machine is not ours to join
        num_cpus=place.workers,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=str(place.folder),
    )
    try:
        yield RayAlone(ray)
    finally:
        ray.shutdown()


if __name__ == "__main__":
    drive(open_side)
