"""Immutable values by content hash: small ones in the store, large ones in the blob store."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from antiphon.domain.observables import Observable
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program
from antiphon.domain.work import Plan
from antiphon.engine.context import EngineContext
from antiphon.errors import StoreError
from antiphon.ports.job_store import Artefact, Transaction


def artefact(
    ctx: EngineContext, kind: str, body: bytes, digest: str | None = None, facts: Mapping[str, Any] | None = None
) -> Artefact:
    """An artefact ready to be added; a large body is put into the blob store first."""
    digest = digest or "sha256:" + hashlib.sha256(body).hexdigest()
    if len(body) > ctx.settings.small_bytes:
        return Artefact(digest, kind, None, ctx.blobs.put(body), facts)
    return Artefact(digest, kind, body, None, facts)


def program_artefacts(ctx: EngineContext, program: Program) -> list[Artefact]:
    """The program as submitted and, where it has a circuit, as compiled; nothing if this process stored it before."""
    if ctx.has_stored(program.digest):
        return []
    found = []
    compiled = ctx.codec.compiled_text(program)
    facts: dict[str, Any] = {
        "format": program.format.value,
        "entry_point": program.entry_point,
        "num_qubits": program.num_qubits,
        "registers": [[register.name, register.size] for register in program.registers],
        "parameters": list(program.parameters),
        "profile": program.profile.value,
        "made_with": dict(program.made_with),
    }
    if compiled is not None:
        text = artefact(ctx, "compiled", compiled.encode())
        found.append(text)
        facts["compiled"] = text.digest
    found.append(artefact(ctx, "program", program.source, program.digest, facts))
    return found


def compiled_artefacts(ctx: EngineContext, plan: Plan) -> tuple[list[str], list[Artefact]]:
    """Digests of the circuits that a target compiled the programs to, one for each, and what is not yet stored."""
    found: dict[str, Artefact] = {}
    digests = []
    for compiled in plan.compiled:
        written = compiled.text or ctx.codec.circuit_text(compiled.circuit).encode()
        text = artefact(ctx, "compiled", written)
        digests.append(text.digest)
        if not ctx.has_stored(text.digest):
            found[text.digest] = text
    return digests, list(found.values())


def observable_artefact(ctx: EngineContext, observable: Observable) -> list[Artefact]:
    """The observable; nothing if this process stored it before."""
    if ctx.has_stored(observable.digest):
        return []
    return [artefact(ctx, "observable", observable.to_json().encode(), observable.digest)]


def environment_artefact(ctx: EngineContext) -> tuple[str, list[Artefact]]:
    """Digest of the package versions of this process, and the artefact if this process has not stored it before.

    Jobs name their environment by digest: it is the same for thousands of them.
    """
    if ctx.has_stored(ctx.environment_digest):
        return ctx.environment_digest, []
    found = artefact(ctx, "environment", json.dumps(dict(ctx.environment), sort_keys=True).encode())
    ctx.environment_digest = found.digest
    return found.digest, [found]


def encode_parameters(ctx: EngineContext, sets: ParameterSets) -> tuple[str, list[Artefact]]:
    """Parameter values as stored in a pub: base64 while small, else the digest of an artefact."""
    if len(sets.data) <= ctx.settings.small_bytes:
        return base64.b64encode(sets.data).decode(), []
    values = artefact(ctx, "parameters", sets.data)
    return values.digest, [values]


def decode_parameters(ctx: EngineContext, tx: Transaction, encoded: str) -> bytes:
    """The inverse of `encode_parameters`."""
    if encoded.startswith("sha256:"):
        return read_artefact(ctx, tx, encoded)
    return base64.b64decode(encoded)


def read_artefact(ctx: EngineContext, tx: Transaction, digest: str) -> bytes:
    """The bytes of an artefact, wherever they are.

    Raises:
        StoreError: The store does not hold it.
    """
    found = tx.artefact(digest)
    if found is None:
        raise StoreError(
            f"The store has no artefact {digest}.",
            code="store-incomplete",
            cause="it was deleted, or the blobs folder is not the one this database belongs to",
            next_step="Restore the folder from a backup; jobs that need it cannot be replayed.",
        )
    return ctx.blobs.get(found.blob) if found.body is None and found.blob else (found.body or b"")
