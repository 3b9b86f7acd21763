"""The Celery app; broker and result backend are in the environment."""

from __future__ import annotations

import os

from celery import Celery
from kombu.transport.sqlalchemy import Transport

from bench.peers_dispatch.circuit import run

# Its default is to look once a second, and the transport refuses the option that would change it.
Transport.polling_interval = 0.01

app = Celery("bench", broker=os.environ["BENCH_BROKER"], backend=os.environ["BENCH_RESULTS"])
# Many short tasks: its guide on optimising says 64 or 128.
app.conf.worker_prefetch_multiplier = 64
app.conf.broker_connection_retry_on_startup = True
run_circuit = app.task(name="run_circuit")(run)
