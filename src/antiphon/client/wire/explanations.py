"""Explanations as the native API shows them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from antiphon.domain.policies.explain import AheadGroup, Explanation, Standing


def explanation_to_json(found: Explanation) -> dict[str, Any]:
    """Why a job is where it is, as its resource; `words` is all of it for people."""
    return {**asdict(found), "ahead": [asdict(each) for each in found.ahead], "changes": list(found.changes),
            "words": str(found)}  # fmt: skip


def explanation_from_json(data: Mapping[str, Any]) -> Explanation:
    """The inverse of `explanation_to_json`."""
    given = {name: value for name, value in data.items() if name != "words"}
    standing = given["standing"]
    given["ahead"] = tuple(AheadGroup(**each) for each in given["ahead"])
    given["standing"] = None if standing is None else Standing(**standing)
    given["changes"] = tuple(given["changes"])
    return Explanation(**given)
