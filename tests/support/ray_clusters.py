"""A real Ray cluster on this machine: a head and further nodes, each with its own processes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SUPPORT = str(Path(__file__).parent)


@contextmanager
def ray_cluster(*nodes: dict[str, Any]) -> Iterator[Any]:
    """A head without CPUs, and a node for each description (arguments of `Cluster.add_node`)."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [SUPPORT, before]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from ray.cluster_utils import Cluster

            small = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
            cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
            for node in nodes:
                cluster.add_node(object_store_memory=80 * 2**20, **node)
        yield cluster
    finally:
        if before is None:
            os.environ.pop("PYTHONPATH")
        else:
            os.environ["PYTHONPATH"] = before
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cluster.shutdown()  # type: ignore[no-untyped-call]
