from __future__ import annotations

from antiphon.domain.identity import Principal, Role


def principal(name: str, via: str) -> Principal:
    return Principal(workspace="default", name=name, role=Role.VIEWER, scopes=Role.VIEWER.scopes, via=via)


def test_people_of_one_issuer_are_counted_apart() -> None:
    issuer = "oidc:https://id.example"
    assert principal("https://id.example#ada", issuer).caller != principal("https://id.example#bob", issuer).caller


def test_two_keys_of_one_name_are_two_callers() -> None:
    assert principal("ci", "key:key_1").caller != principal("ci", "key:key_2").caller
    assert principal("ci", "key:key_1").caller == "key:key_1"
