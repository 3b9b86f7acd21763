"""A real Ray cluster on this machine: a head, to which a test may add nodes, each with processes of its own."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SUPPORT = str(Path(__file__).parent)


@contextmanager
def ray_cluster(**head: Any) -> Iterator[Any]:
    """A cluster whose head has what `head` says (arguments of `Cluster.add_node`)."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [SUPPORT, before]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from ray.cluster_utils import Cluster

            cluster = Cluster(
                initialize_head=True,
                head_node_args={"object_store_memory": 80 * 2**20, "include_dashboard": False, **head},
            )
        yield cluster
    finally:
        if before is None:
            os.environ.pop("PYTHONPATH")
        else:
            os.environ["PYTHONPATH"] = before
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cluster.shutdown()  # type: ignore[no-untyped-call]
