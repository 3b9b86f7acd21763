"""The composition root: the one place that names concrete classes and puts an engine together."""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from antiphon.adapters.blobs.files import FileBlobStore
from antiphon.adapters.clocks import SystemClock
from antiphon.adapters.executors.apart import CallsApart
from antiphon.adapters.executors.inline import InlineExecutor
from antiphon.adapters.executors.processes import ProcessExecutor
from antiphon.adapters.executors.reading import ReadingCodec
from antiphon.adapters.liveness import ProcessLiveness
from antiphon.adapters.secrets import EnvironmentSecrets, FileSecrets, KeyringSecrets, SecretChain, VaultSecrets
from antiphon.adapters.secrets.vault import vault_token
from antiphon.adapters.store import open_store
from antiphon.adapters.store.telling import ENDED, QUEUED, SOMETHING_WAITS
from antiphon.adapters.targets import emu, sim
from antiphon.adapters.targets.emu.prices import PUBLISHED
from antiphon.adapters.targets.emu_life.lives import give_lives
from antiphon.adapters.targets.mitigation import mitigating, mitigating_elsewhere
from antiphon.adapters.targets.plugins import load_plugins
from antiphon.adapters.targets.vendors import build_vendors
from antiphon.adapters.telemetry.job_spans import JobSpans
from antiphon.adapters.wakeups.postgres_notify import PostgresWakeups
from antiphon.adapters.wakeups.sqlite_watch import SqliteWakeups
from antiphon.domain.jobs import Job
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.policies.life import LivingDevice, StillDevice
from antiphon.domain.programs import Program
from antiphon.domain.resources import FaultTolerant
from antiphon.engine.abandoned import AbandonedStore
from antiphon.engine.context import EngineContext, EngineSettings
from antiphon.engine.dispatch import Dispatcher, release_quietly
from antiphon.engine.providers.follower import ProviderFollower
from antiphon.errors import AntiphonError, MissingExtraError, StoreError
from antiphon.frontends.codec import FrontendCodec
from antiphon.frontends.qiskit_library import load_for_good
from antiphon.ports.clock import Clock
from antiphon.ports.executor import Executor
from antiphon.ports.provider import TargetPlugin
from antiphon.ports.secrets import SecretSource
from antiphon.ports.target_driver import TargetDriver
from antiphon.ports.wakeups import Wakeups

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

RECORDED_PACKAGES = (
    "antiphon", "numpy", "qiskit", "qiskit-aer", "cirq-core", "qdk", "pyqir", "pennylane-lightning", "qsimcirq", "stim"
)  # fmt: skip
DATABASE = "antiphon.db"
COMPILING = ("antiphon.adapters.targets.emu.compiling", "antiphon.adapters.targets.emu.preparing")
"""What a process imports before it compiles its first program."""
MOST_PROGRAMS_COUNTED = 16
"""A span tells the width of the widest program among the first so many: a batch may have thousands."""


def default_home() -> Path:
    """Where data lives: ANTIPHON_HOME, or the user's data folder."""
    asked = os.environ.get("ANTIPHON_HOME")
    return Path(asked) if asked else Path(platformdirs.user_data_dir("antiphon"))


def load_drivers() -> Mapping[str, TargetDriver]:
    """Every target's driver, those of plugins included; a worker process calls this once."""
    return load_targets().drivers


def load_targets(home: Path | None = None, compiles: CallsApart | None = None) -> TargetPlugin:
    """Every target's driver, and the providers of those that are elsewhere.

    Args:
        home: The folder whose `providers.toml` says which vendors' targets there are; None for none of them, which is
            all that a worker process needs: nothing of theirs runs in it.
        compiles: Where programs are compiled for emulated devices; None: in this process.
    """
    plain = {**sim.build_drivers(), **emu.build_drivers(compiles)}
    own = {name: mitigating(driver) for name, driver in plain.items()}
    vendors = TargetPlugin({}) if home is None else build_vendors(home, lambda: build_secrets(home))
    vendors = mitigating_elsewhere(vendors)
    own = {**own, **vendors.drivers}
    plugins = load_plugins(own)
    return TargetPlugin({**own, **plugins.drivers}, {**vendors.providers, **plugins.providers})


@dataclass(slots=True, eq=False, weakref_slot=True)
class RunningEngine:
    """An engine with its loop; `close` ends both and gives its jobs back to the queue."""

    ctx: EngineContext
    home: Path
    dispatcher: Dispatcher | None
    reader: ReadingCodec | None = None
    wakeups: Wakeups | None = None
    compiles: CallsApart | None = None

    def close(self) -> None:
        """Stop in order; safe to call twice."""
        if self.ctx.closing.is_set():
            return
        if self.wakeups is not None:
            self.wakeups.close()
        if self.reader is not None:
            # The loop may be waiting for a program.
            self.reader.close()
        if self.compiles is not None:
            self.compiles.close()
        if self.dispatcher is not None:
            self.dispatcher.stop()
        else:
            self.ctx.closing.set()
            self.ctx.close_runners()
            if self.ctx.registered:
                release_quietly(self.ctx)
        self.ctx.store.close()

    def abandon(self) -> None:
        """Forget it in a forked child, at whose end neither the parent's workers nor its leases may go."""
        self.ctx.closing.set()
        self.ctx.store = AbandonedStore(self.ctx.store)
        for executor in self.ctx.executors.values():
            atexit.unregister(executor.close)
        if self.reader is not None:
            atexit.unregister(self.reader.close)
        if self.compiles is not None:
            atexit.unregister(self.compiles.close)


_running: weakref.WeakSet[RunningEngine] = weakref.WeakSet()


def _abandon_all() -> None:
    for engine in list(_running):
        engine.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)


def build_engine(
    home: Path | str | None = None,
    *,
    database: str | None = None,
    settings: EngineSettings | None = None,
    clock: Clock | None = None,
    workers: int | None = None,
    dispatch: bool = True,
    read_apart: bool = False,
    elsewhere: TargetPlugin | None = None,
    runs_on: Executor | None = None,
    devices: Iterable[LivingDevice | StillDevice] = (),
) -> RunningEngine:
    """Open a folder (made if missing) and start an engine on it.

    Args:
        database: URL of a PostgreSQL database to use instead of SQLite in the folder (or ANTIPHON_DATABASE).
        workers: Worker processes at most; default is one for each processor. With 0 the engine runs what is cheap
            enough for its own process, and takes nothing from the queue.
        dispatch: False only looks: nothing is taken from the queue and no timer kept, which is what read-only commands
            want. A submit that is cheap enough still runs, in the submitting thread.
        read_apart: Programs come from strangers: they are read, and compiled for devices, in processes that are killed
            at their limits.
        elsewhere: Targets with their providers, beside those of plugins.
        runs_on: Where jobs from the queue run, instead of worker processes of this machine; closed with the engine.
        devices: Emulated devices that are to live from now on, or no more; the folder remembers which do.

    Raises:
        StoreError: The folder or the database cannot be used; the code says why.
    """
    folder = Path(home) if home is not None else default_home()
    _make(folder)
    load_for_good()
    database = database or os.environ.get("ANTIPHON_DATABASE")
    store = open_store(database or folder / DATABASE)
    compiles = CallsApart("compilers", COMPILING) if read_apart else None
    targets = load_targets(folder, compiles)
    if elsewhere is not None:
        targets = TargetPlugin({**targets.drivers, **elsewhere.drivers}, {**targets.providers, **elsewhere.providers})
    clock = clock or SystemClock()
    workers_of = runs_on or ProcessExecutor(load_drivers, max_workers=workers or None)
    living = give_lives(targets.drivers, devices, folder, clock, workers_of)
    targets = TargetPlugin({**targets.drivers, **living.drivers}, {**targets.providers, **living.providers})
    drivers = targets.drivers
    reader = ReadingCodec() if read_apart else None
    ctx = EngineContext(
        store=store,
        blobs=FileBlobStore(folder / "blobs"),
        clock=clock,
        codec=reader or FrontendCodec(),
        liveness=ProcessLiveness(),
        drivers=drivers,
        executors={
            "inline": InlineExecutor(drivers),
            "process": workers_of,
        },
        environment=environment(),
        settings=settings or EngineSettings(),
        providers=targets.providers,
    )
    if ctx.providers:
        ctx.follower = ProviderFollower(ctx)
    dispatcher = Dispatcher(ctx, takes_jobs=workers != 0) if dispatch else None
    if dispatcher is not None:
        dispatcher.start()
    wakeups = None
    if dispatcher is not None:
        wakeups = _wakeups(database or folder / DATABASE, takes_jobs=workers != 0)
        if wakeups is not None:
            wakeups.start(ctx.wakeup.set, ctx.announce_end)
    engine = RunningEngine(ctx, folder, dispatcher, reader, wakeups, compiles)
    _running.add(engine)
    return engine


def ray_executor(
    address: str, *, max_tasks: int | None = None, cpus: float = 1.0, gpus: float = 0.0, qpus: bool = True
) -> Executor:
    """An executor on a Ray cluster, for `runs_on`; see `RayExecutor` for the arguments.

    Raises:
        MissingExtraError: Ray is not installed.
        ConnectionFailedError: There is no cluster at the address.
    """
    from antiphon.adapters.executors.ray_cluster import RayExecutor

    return RayExecutor(address, load_drivers, max_tasks=max_tasks, cpus=cpus, gpus=gpus, qpus=qpus)


def estimate_fault_tolerant(
    program: Program, parameters: ParameterSets, *, model: str, error_budget: float
) -> FaultTolerant:
    """What a program takes on a machine that corrects its errors; see `adapters.estimators.qdk_resources`."""
    from antiphon.adapters.estimators.qdk_resources import fault_tolerant

    return fault_tolerant(program, parameters, model=model, error_budget=error_budget)


def _wakeups(database: str | Path, *, takes_jobs: bool) -> Wakeups | None:
    """How an engine on that database hears of other processes' jobs: those that wait, and ends where they are told."""
    text = str(database)
    if text.startswith("postgres"):
        return PostgresWakeups(text, queued=QUEUED, ended=ENDED)
    if not takes_jobs:
        return None
    return SqliteWakeups(Path(text.removeprefix("sqlite:///")), SOMETHING_WAITS)


def published_prices() -> Mapping[str, Mapping[str, Any]]:
    """What vendors have published as prices of the machines that are emulated, as price lists, by target."""
    return PUBLISHED


def trace_jobs(ctx: EngineContext, provider: TracerProvider | None = None) -> None:
    """Make OpenTelemetry spans of each job that this engine ends.

    Args:
        provider: Where they go; None is the program's global one, and none at all where it has none.
    """
    ctx.observers.append(JobSpans(ctx.drivers, partial(_count_qubits, ctx), provider))


def _count_qubits(ctx: EngineContext, job: Job) -> int | None:
    widths = []
    with contextlib.suppress(AntiphonError), ctx.store.read() as tx:
        for digest in sorted({pub.program for pub in job.spec.pubs})[:MOST_PROGRAMS_COUNTED]:
            found = tx.artefact(digest)
            widths.append((found.facts or {}).get("num_qubits", 0) if found is not None else 0)
    return max(widths, default=0) or None


def build_secrets(home: Path, environ: Mapping[str, str] = os.environ) -> SecretSource:
    """The places that secrets come from, asked in this order: environment, files, keyring, Vault.

    Files are those of ANTIPHON_SECRETS_DIR, or of the folder `secrets` in `home`. Vault is asked if VAULT_ADDR is set,
    with VAULT_TOKEN (or the file that VAULT_TOKEN_FILE names) and VAULT_NAMESPACE.

    Raises:
        MissingExtraError: VAULT_ADDR is set and the package hvac is not installed.
        SecretError: VAULT_ADDR is set, and there is no token for it.
    """
    mounted = environ.get("ANTIPHON_SECRETS_DIR")
    sources: list[SecretSource] = [
        EnvironmentSecrets(environ),
        FileSecrets(Path(mounted), private=False) if mounted else FileSecrets(home / "secrets"),
    ]
    with contextlib.suppress(MissingExtraError):  # it is one of several places, and not asked for by name
        sources.append(KeyringSecrets())
    address = environ.get("VAULT_ADDR")
    if address:
        sources.append(VaultSecrets(address, vault_token(environ), namespace=environ.get("VAULT_NAMESPACE")))
    return SecretChain(sources)


@cache
def environment() -> Mapping[str, str]:
    """Python, platform and the versions of what a result can depend on, for the record."""
    found = {"python": platform.python_version(), "platform": platform.platform(), "machine": platform.machine()}
    for package in RECORDED_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _make(folder: Path) -> None:
    try:
        # Programs, results and hashes of keys: other users of the machine have no business there.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (PermissionError, FileExistsError, NotADirectoryError, OSError) as error:
        raise StoreError(
            f"The folder {folder} cannot be used.",
            code="store-permission",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step="Choose another with Workspace(path), --home DIR or ANTIPHON_HOME.",
        ) from None
