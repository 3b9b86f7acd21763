"""Dispatch: the same circuit through Antiphon and through what a team would pick instead, each with as many workers."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np
import psutil
import psycopg
from sqlalchemy import make_url

from bench.dispatch_sides import OURS, PEERS, Amount, CannotStartError, Dispatcher, Taken, install_peers, measure
from bench.http_servers import postgres
from bench.measure import DisagreementError, Row, Spread
from bench.registry import Settings, case
from bench.sampling import bit_means

HOW = (
    "4 qubits, 1,000 shots, Qiskit Aer on one thread, {workers} workers on each side; every round starts each side "
    "anew on an empty store and lets it warm up; one job: the next when the result of the last is here, less the bare "
    "circuit in the same process"
)

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


def check_same(peer: str, ours: Mapping[str, int], theirs: Mapping[str, int]) -> None:
    """Each bit is 1 equally often up to six standard errors of the side with fewer shots.

    Raises:
        DisagreementError: The peer ran something else.
    """
    away = float(np.abs(bit_means(ours) - bit_means(theirs)).max())
    if away > 6 * (0.5 / min(sum(ours.values()), sum(theirs.values()))) ** 0.5:
        raise DisagreementError(f"a bit differs from {peer} by {away:.3f}")


def _note(side: Dispatcher, found: list[Taken]) -> str:
    each, trip, cpu = (
        Spread.of(values) for values in zip(*((one.each, one.trip, one.cpu) for one in found), strict=True)
    )
    return (
        f"{1 / each.median:,.3g} jobs a second ({1 / each.high:,.3g}..{1 / each.low:,.3g}), "
        f"{1e3 * cpu.median:.2g} ms of processor a job, one job {1e3 * trip.median:.3g} ms. {side.kept}"
    )


def rows_of(ours: Dispatcher, taken: Rounds, amount: Amount) -> list[Row]:
    """Our figures and, where they are compared, the ratio to each peer that was measured, round by round.

    Raises:
        DisagreementError: A peer's counts are of another circuit.
    """
    mine = taken[ours.name]
    for peer in PEERS:
        for a, b in zip(mine, taken.get(peer.name, ()), strict=False):
            check_same(peer.name, a.counts, b.counts)
    rows = []
    for what, value in (
        (f"{amount.at_once} at once", attrgetter("each")),
        ("overhead of one" if ours.compared else "one", attrgetter("overhead" if ours.compared else "trip")),
    ):
        unit = f"{what}, {ours.name}"
        spread = Spread.of([value(one) for one in mine])
        peers = [peer for peer in PEERS if peer.name in taken] if ours.compared else []
        for peer in peers:
            theirs = [value(one) for one in taken[peer.name]]
            ratio = Spread.of([value(a) / b for a, b in zip(mine, theirs, strict=True)])
            aim = 1.0 if peer.durable else None
            notes = (_note(peer, taken[peer.name]),)
            rows.append(Row("dispatch", unit, spread, peer.name, Spread.of(theirs), ratio, aim, notes))
        if not peers:
            rows.append(Row("dispatch", unit, spread))
    return rows


@case("dispatch")
def dispatch(settings: Settings) -> list[Row]:
    """Seconds a job of many at once, and what one job takes beyond its circuit."""
    amount = Amount(40, 10) if settings.quick else Amount(400, 50)
    taken, left_out = _measured(amount, settings.rounds)
    about = (
        HOW.format(workers=amount.workers),
        *(f"{ours.name}: {_note(ours, taken[ours.name])}" for ours in OURS),
        *left_out,
    )
    rows = [row for ours in OURS for row in rows_of(ours, taken, amount)]
    return [replace(row, notes=(*about, *row.notes)) for row in rows]
