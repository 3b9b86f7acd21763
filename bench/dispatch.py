"""Dispatch: the same circuit through Antiphon and through what a team would pick instead, each with as many workers."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import make_url

from bench.dispatch_sides import OURS, PEERS, Amount, CannotStartError, Dispatcher, Taken, install_peers, measure
from bench.http_servers import postgres
from bench.measure import Row, Spread
from bench.registry import Settings, case
from bench.sampling import check_marginals

Rounds = Mapping[str, list[Taken]]


@contextlib.contextmanager
def _databases() -> Iterator[tuple[list[int], Iterator[str]]]:
    """One PostgreSQL with its usual durability: its processes, and as many empty databases as are asked for."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, postgres(Path(folder) / "data") as url:
        postmaster = int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])

        def fresh() -> Iterator[str]:
            number = 0
            while True:
                name = f"side{number}"
                with psycopg.connect(url, autocommit=True) as admin:
                    admin.execute(f"CREATE DATABASE {name}".encode())
                named = make_url(url).set(drivername="postgresql", database=name)
                yield named.render_as_string(hide_password=False)
                number += 1

        yield [psutil.Process(postmaster).pid], fresh()


def _measured(amount: Amount, rounds: int) -> tuple[Rounds, list[str]]:
    """Every side in turn, round after round, each started anew; and a line for each peer that is left out."""
    left_out: dict[str, str] = {}
    sides: list[Dispatcher] = [*OURS, *PEERS]
    try:
        install_peers()
    except CannotStartError as error:
        left_out = {side.name: str(error) for side in PEERS}
    taken: dict[str, list[Taken]] = {side.name: [] for side in sides}
    with _databases() as (pids, databases):
        for _ in range(rounds):
            for side in sides:
                if side.name in left_out:
                    continue
                try:
                    taken[side.name].append(measure(side, next(databases), pids, amount))
                except CannotStartError as error:
                    if side.ours:
                        raise
                    left_out[side.name] = str(error)
    lines = [f"{name} is left out: {why}" for name, why in left_out.items()]
    for line in lines:
        print(f"dispatch: {line}", file=sys.stderr)
    return {name: found for name, found in taken.items() if found and name not in left_out}, lines


def _note(side: Dispatcher, found: list[Taken]) -> str:
    each, trip, cpu = (
        Spread.of(values) for values in zip(*((one.each, one.trip, one.cpu) for one in found), strict=True)
    )
    return (
        f"{side.name}: {1 / each.median:,.0f} jobs a second ({1 / each.high:,.0f}..{1 / each.low:,.0f}), "
        f"{1e3 * cpu.median:.2g} ms of processor a job, one job {1e3 * trip.median:.3g} ms. {side.kept}"
    )


def _rows(ours: Dispatcher, taken: Rounds, amount: Amount) -> list[Row]:
    mine = taken[ours.name]
    rows = []
    for unit, values in (
        (f"{amount.at_once} at once, {ours.name}", {name: [one.each for one in all_] for name, all_ in taken.items()}),
        (f"overhead of one, {ours.name}", {name: [one.overhead for one in all_] for name, all_ in taken.items()}),
    ):
        spread = Spread.of(values[ours.name])
        for peer in PEERS:
            if peer.name not in taken:
                continue
            for a, b in zip(mine, taken[peer.name], strict=True):
                check_marginals(peer.name, a.counts, b.counts)
            ratio = Spread.of([a / b for a, b in zip(values[ours.name], values[peer.name], strict=True)])
            aim = 1.0 if peer.durable else None
            theirs = Spread.of(values[peer.name])
            rows.append(Row("dispatch", unit, spread, peer.name, theirs, ratio, aim, (_note(peer, taken[peer.name]),)))
        if len(taken) == len(OURS):
            rows.append(Row("dispatch", unit, spread))
    return rows


@case("dispatch")
def dispatch(settings: Settings) -> list[Row]:
    """Seconds a job of many at once, and what one job takes beyond its circuit."""
    amount = Amount(40, 10) if settings.quick else Amount(400, 50)
    taken, left_out = _measured(amount, settings.rounds)
    rows = [row for ours in OURS for row in _rows(ours, taken, amount)]
    how = (
        f"4 qubits, 1,000 shots, Qiskit Aer on one thread, {amount.workers} workers on each side; every round starts "
        "each side anew on an empty store and lets it warm up; one job: the next when the result of the last is here, "
        "less the bare circuit in the same process"
    )
    about = (how, *(_note(ours, taken[ours.name]) for ours in OURS), *left_out)
    first, *others = rows
    return [replace(first, notes=(*about, *first.notes)), *others]
