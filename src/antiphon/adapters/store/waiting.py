"""The part of a transaction that is about what waits on one target, as the rules of `policies.pick` look at it.

Names that wait are found by jumping from one to the next in the index `jobs_waiting` (a loose index scan, which neither
database does by itself): what a look costs grows with the workspaces and users that wait, and not with their jobs.
"""

# ruff: noqa: S608 - the statements are put together of the constants of this file

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Double, Integer, Text, bindparam, text

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.statements import Statement
from antiphon.domain.jobs import Job
from antiphon.domain.policies.shares import Use
from antiphon.domain.queues import Rank, Waiting

_TYPES: dict[str, Any] = {
    "target": Text(),
    "workspace": Text(),
    "user": Text(),
    "session_id": Text(),
    "rank": Integer(),
    "before": Double(),
    "id": Text(),
}
_WAITS = "status = 'Waiting' AND target = :target"
_COLUMNS = "id, rank, workspace, created_by, created_at, session_id, planned_s"
_OLDEST_FIRST = "ORDER BY created_at, id LIMIT 1"


def _sql(words: str, names: Sequence[str]) -> Statement:
    element = text(words).bindparams(*(bindparam(name, type_=_TYPES[name]) for name in set(names)))
    return Statement(names, lambda _: element)


_TARGETS = _sql(
    """
    WITH RECURSIVE names(name) AS (
        SELECT min(target) FROM jobs WHERE status = 'Waiting'
        UNION ALL
        SELECT (SELECT min(target) FROM jobs WHERE status = 'Waiting' AND target > names.name)
        FROM names WHERE names.name IS NOT NULL
    )
    SELECT name FROM names WHERE name IS NOT NULL
    """,
    (),
)
_FIRST_OF_SESSION = _sql(
    f"SELECT {_COLUMNS} FROM jobs WHERE session_id = :session_id AND ended_at IS NULL AND status = 'Waiting' "
    # Not to be looked up in the index of the whole queue: a session's own index is as short as the session.
    f"AND target || '' = :target {_OLDEST_FIRST}",
    ("session_id", "target"),
)
# The oldest of each class.
_OLDEST = _sql(
    " UNION ALL ".join(
        f"SELECT * FROM (SELECT {_COLUMNS} FROM jobs WHERE {_WAITS} AND rank = {int(rank)} {_OLDEST_FIRST}) AS r{rank}"
        for rank in Rank
    ),
    ("target",) * len(Rank),
)
_HAS = _sql(f"SELECT 1 FROM jobs WHERE {_WAITS} AND rank = :rank {_OLDEST_FIRST}", ("target", "rank"))
_CLASSES = _sql(
    " UNION ALL ".join(
        f"SELECT {int(rank)} WHERE EXISTS (SELECT 1 FROM jobs WHERE {_WAITS} AND rank = {int(rank)})" for rank in Rank
    ),
    ("target",) * len(Rank),
)
_HAS_OF = _sql(
    f"SELECT 1 FROM jobs WHERE {_WAITS} AND rank = :rank AND workspace = :workspace ORDER BY created_by LIMIT 1",
    ("target", "rank", "workspace"),
)
_FIRST = _sql(
    f"SELECT {_COLUMNS} FROM jobs WHERE {_WAITS} AND rank = :rank AND workspace = :workspace AND created_by = :user "
    f"{_OLDEST_FIRST}",
    ("target", "rank", "workspace", "user"),
)
_WORKSPACES = _sql(
    f"""
    WITH RECURSIVE names(name) AS (
        SELECT min(workspace) FROM jobs WHERE {_WAITS} AND rank = :rank
        UNION ALL
        SELECT (SELECT min(workspace) FROM jobs WHERE {_WAITS} AND rank = :rank AND workspace > names.name)
        FROM names WHERE names.name IS NOT NULL
    )
    SELECT names.name, shares.used, shares.at, allotments.weight
    FROM names
    LEFT JOIN shares ON shares.target = :target AND shares.workspace = names.name AND shares."user" = ''
    LEFT JOIN allotments ON allotments.workspace = names.name
    WHERE names.name IS NOT NULL
    """,
    ("target", "rank", "target", "rank", "target"),
)
_OF_WORKSPACE = f"{_WAITS} AND rank = :rank AND workspace = :workspace"
_NAMES_OF_USERS = f"""
    WITH RECURSIVE names(name) AS (
        SELECT min(created_by) FROM jobs WHERE {_OF_WORKSPACE}
        UNION ALL
        SELECT (SELECT min(created_by) FROM jobs WHERE {_OF_WORKSPACE} AND created_by > names.name)
        FROM names WHERE names.name IS NOT NULL
    )
    """
_USERS = _sql(
    f"""{_NAMES_OF_USERS}
    SELECT names.name, shares.used, shares.at
    FROM names
    LEFT JOIN shares ON shares.target = :target AND shares.workspace = :workspace AND shares."user" = names.name
    WHERE names.name IS NOT NULL
    """,
    ("target", "rank", "workspace", "target", "rank", "workspace", "target", "workspace"),
)


def _others() -> Statement:
    # Jumps over everything of the user in each class: at most four looks into the index a class. A least name is looked
    # for, and not just any row: PostgreSQL might read the table from its beginning for that.
    looks, names = [], []
    for rank in Rank:
        for least, where, given in (
            ("workspace", "workspace < :workspace", ("workspace",)),
            ("workspace", "workspace > :workspace", ("workspace",)),
            ("created_by", "workspace = :workspace AND created_by < :user", ("workspace", "user")),
            ("created_by", "workspace = :workspace AND created_by > :user", ("workspace", "user")),
        ):
            look = f"SELECT min({least}) FROM jobs WHERE {_WAITS} AND rank = {int(rank)} AND {where}"
            looks.append(f"({look}) IS NOT NULL")
            names += ["target", *given]
    return _sql(f"SELECT 1 WHERE {' OR '.join(looks)}", names)


_OTHERS = _others()
_RUNNING = _sql("SELECT count(*) FROM jobs WHERE owner IS NOT NULL AND target = :target", ("target",))


@lru_cache(maxsize=32)
def _before(rank: Rank, most: int) -> Statement:
    # Every class before that of a job, and the older ones of its own. The limit is no parameter: without knowing it
    # PostgreSQL would plan the query anew each time.
    words, names = [], []
    for above in Rank:
        if above > rank:
            break
        older = "AND (created_at, id) < (:before, :id)" if above == rank else ""
        words.append(
            f"SELECT count(*) FROM (SELECT 1 FROM jobs WHERE {_WAITS} AND rank = {int(above)} {older} "
            f"ORDER BY created_at, id LIMIT {most}) AS counted"
        )
        names += ["target", *(("before", "id") if above == rank else ())]
    return _sql(" UNION ALL ".join(words), names)


@lru_cache(maxsize=32)
def _ahead(rank: Rank, most: int) -> Statement:
    mine = int(rank)
    parts: list[tuple[int, str, str, tuple[str, ...]]] = [
        (int(above), _class_of(above), "ORDER BY created_at, id", ()) for above in Rank if above < rank
    ]
    for side in "<>":
        parts += [
            (mine, "workspace", f"AND workspace {side} :workspace ORDER BY workspace", ("workspace",)),
            (
                mine,
                "user",
                f"AND workspace = :workspace AND created_by {side} :user ORDER BY created_by",
                ("workspace", "user"),
            ),
        ]
    own = "AND workspace = :workspace AND created_by = :user AND created_at < :before ORDER BY created_at"
    parts.append((mine, "own", own, ("workspace", "user", "before")))
    looks, names = [], []
    for number, relation, where, given in parts:
        looks.append(
            f"SELECT {number} AS rank, '{relation}' AS relation, count(*) AS jobs, coalesce(sum(planned_s), 0) AS work "
            f"FROM (SELECT planned_s FROM jobs WHERE {_WAITS} AND rank = {number} {where} LIMIT {most}) AS counted"
        )
        names += ["target", *given]
    return _sql(" UNION ALL ".join(looks), names)


def _class_of(above: Rank) -> str:
    return "session" if above <= Rank.SESSION else "priority"


class WaitingTransaction(EventTransaction):
    """What waits: see `antiphon.ports.queue_store` for what each method promises."""

    def targets_waited_for(self) -> list[str]:
        """The targets with a waiting job, by name; its cost grows with the targets, not with the jobs."""
        return [row[0] for row in self._runner.rows(_TARGETS)]

    def first_of_session(self, target: str, session_id: str) -> Waiting | None:
        """The oldest waiting job of a session."""
        return _waiting_of(self._runner.row(_FIRST_OF_SESSION, (session_id, target)))

    def oldest_in_queue(self, target: str, only: str | None) -> Waiting | None:
        """The waiting job that was submitted first, of one workspace or of all."""
        if only is None:
            rows = self._runner.rows(_OLDEST, (target,) * len(Rank))
            return min(filter(None, map(_waiting_of, rows)), key=_age, default=None)
        firsts = (
            self.first_waiting(target, rank, only, user)
            for rank in Rank
            for user, _ in self.waiting_users(target, rank, only)
        )
        return min(filter(None, firsts), key=_age, default=None)

    def oldest_waiting(self, targets: Sequence[str]) -> dict[str, float]:
        """When the oldest waiting job of each target was submitted; a target without one is left out."""
        oldest = {target: self.oldest_in_queue(target, None) for target in targets}
        return {target: job.created_at for target, job in oldest.items() if job is not None}

    def jobs_before(self, job: Job, most: int) -> int:
        """How many waiting jobs are of a class before a waiting job's, or older in its class; counted up to `most`."""
        statement = _before(job.rank, int(most))
        values = _values(statement, target=job.spec.target, before=job.created_at, id=job.id)
        return min(most, sum(int(row[0]) for row in self._runner.rows(statement, values)))

    def has_waiting(self, target: str, rank: Rank, only: str | None) -> bool:
        """Whether a job of the class waits."""
        if only is None:
            return self._runner.row(_HAS, (target, int(rank))) is not None
        return self._runner.row(_HAS_OF, (target, int(rank), only)) is not None

    def waiting_classes(self, target: str) -> set[Rank]:
        """The classes with a waiting job."""
        return {Rank(row[0]) for row in self._runner.rows(_CLASSES, (target,) * len(Rank))}

    def waiting_workspaces(self, target: str, rank: Rank) -> list[tuple[str, Use, float]]:
        """(workspace, use, allotment) of those with a job in the class; its cost does not grow with the jobs."""
        rows = self._runner.rows(_WORKSPACES, (target, int(rank), target, int(rank), target))
        return [(name, _use_of(used, at), 1.0 if weight is None else weight) for name, used, at, weight in rows]

    def waiting_users(self, target: str, rank: Rank, workspace: str) -> list[tuple[str, Use]]:
        """(user, use) of those of a workspace with a waiting job of the class; costs as they are many, not the jobs."""
        place = (target, int(rank), workspace)
        rows = self._runner.rows(_USERS, (*place, *place, target, workspace))
        return [(name, _use_of(used, at)) for name, used, at in rows]

    def first_waiting(self, target: str, rank: Rank, workspace: str, user: str) -> Waiting | None:
        """The oldest waiting job of a user in the class."""
        return _waiting_of(self._runner.row(_FIRST, (target, int(rank), workspace, user)))

    def others_wait(self, target: str, workspace: str, user: str) -> bool:
        """Whether a job of anybody else waits on the target."""
        return self._runner.row(_OTHERS, _values(_OTHERS, target=target, workspace=workspace, user=user)) is not None

    def running_on(self, target: str) -> int:
        """How many jobs of the target engines hold."""
        return int(self._runner.row(_RUNNING, (target,))[0])

    def work_ahead(
        self, target: str, rank: Rank, workspace: str, user: str, before: float, most: int
    ) -> Sequence[tuple[Rank, str, int, float]]:
        """(class, relation, jobs, planned seconds) of what would be looked at before a job of that place."""
        statement = _ahead(rank, int(most))
        rows = self._runner.rows(
            statement, _values(statement, target=target, workspace=workspace, user=user, before=before)
        )
        return _added_up(rows, most)


def _values(statement: Statement, **given: Any) -> list[Any]:
    return [given[name] for name in statement.names]


def _added_up(rows: Iterable[Any], most: int) -> list[tuple[Rank, str, int, float]]:
    # What is not one's own lies on both sides of it in the index, each counted up to `most`.
    found: dict[tuple[int, str], tuple[int, float]] = {}
    for rank, relation, jobs, work in rows:
        before_jobs, before_work = found.get((rank, relation), (0, 0.0))
        taken = min(jobs, most - before_jobs)
        found[rank, relation] = (before_jobs + taken, before_work + (work * taken / jobs if jobs else 0.0))
    return [(Rank(rank), relation, jobs, work) for (rank, relation), (jobs, work) in found.items() if jobs]


def _use_of(used: float | None, at: float | None) -> Use:
    return Use() if used is None or at is None else Use(used, at)


def _age(job: Waiting) -> tuple[float, str]:
    return job.created_at, job.id


def _waiting_of(row: Any) -> Waiting | None:
    if row is None:
        return None
    return Waiting(
        id=row[0],
        rank=Rank(row[1]),
        workspace=row[2],
        user=row[3],
        created_at=row[4],
        session_id=row[5],
        planned_s=row[6],
    )
