"""Does a server's memory grow under steady load? python -m bench.http_soak [--minutes 10] [--rate 60]."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.http_servers import Server, antiphon_server

SAMPLE_S = 5.0


def soak(server: Server, minutes: float, rate: float) -> dict[str, Any]:
    """Submit, wait and fetch at `rate` jobs a second; resident memory by time."""
    command = [sys.executable, "-m", "bench.http_load", "steady", "--key", server.key, "--url", server.url]
    command += ["--seconds", str(minutes * 60), "--rate", str(rate)]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    began, samples = time.monotonic(), []
    while client.poll() is None:
        samples.append((time.monotonic() - began, server.rss_mib))
        time.sleep(SAMPLE_S)
    output, _ = client.communicate()
    if client.returncode:
        raise SystemExit("the client failed")
    # Caches fill and the allocator settles first; what matters is whether it goes on.
    late = samples[len(samples) // 3 :]
    slope = statistics.linear_regression([at for at, _ in late], [rss for _, rss in late]).slope
    return {
        "minutes": minutes,
        "jobs": json.loads(output)["answers"],
        "client": json.loads(output),
        "rss_mib": {"first": samples[0][1], "after_a_third": late[0][1], "last": samples[-1][1]},
        "mib_an_hour": slope * 3600,
        "load_average": os.getloadavg(),
        "samples": [[round(at), round(rss, 1)] for at, rss in samples],
    }


def main() -> None:
    """Start a server, load it, print one line of JSON."""
    parser = argparse.ArgumentParser(prog="bench.http_soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=60.0, help="jobs a second")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="antiphon-soak-") as folder,
        antiphon_server(Path(folder) / "lab") as server,
    ):
        print(json.dumps(soak(server, options.minutes, options.rate)))


if __name__ == "__main__":
    main()
