from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import pytest

from antiphon.server.azure.refusals import StorageRefusal
from antiphon.server.azure.sas import Grant, SasSigner

NOW = 1_800_000_000.0
SIGNER = SasSigner(b"k" * 32)


def query(grant: Grant, signer: SasSigner = SIGNER) -> Mapping[str, str]:
    return dict(parse_qsl(signer.sign(grant)))


def test_a_container_opens_all_its_blobs() -> None:
    signed = query(Grant("abc", None, "rl", NOW + 60))
    SIGNER.check(signed, "abc", None, "l", NOW)
    SIGNER.check(signed, "abc", "any/blob", "r", NOW)


def test_a_blob_opens_itself_alone() -> None:
    signed = query(Grant("abc", "one", "r", NOW + 60))
    SIGNER.check(signed, "abc", "one", "r", NOW)
    for container, blob in (("abc", "two"), ("abc", None), ("abd", "one")):
        with pytest.raises(StorageRefusal) as caught:
            SIGNER.check(signed, container, blob, "r", NOW)
        assert caught.value.status == 403


def test_parts_cannot_be_moved_from_one_field_to_another() -> None:
    signed = dict(query(Grant("ab", "c", "r", NOW + 60)))
    for container, blob in (("abc", ""), ("a", "bc")):
        with pytest.raises(StorageRefusal):
            SIGNER.check(signed, container, blob or None, "r", NOW)


def test_another_server_s_signature_is_worth_nothing() -> None:
    signed = query(Grant("abc", None, "rl", NOW + 60), SasSigner(b"x" * 32))
    with pytest.raises(StorageRefusal) as caught:
        SIGNER.check(signed, "abc", None, "l", NOW)
    assert caught.value.code == "AuthenticationFailed"


def test_it_ends_at_the_second_it_names() -> None:
    signed = query(Grant("abc", None, "rl", NOW + 0.9))
    with pytest.raises(StorageRefusal):
        SIGNER.check(signed, "abc", None, "l", NOW)
    SIGNER.check(signed, "abc", None, "l", NOW - 0.1)


@pytest.mark.parametrize("field", ["se", "sr", "sp", "sig"])
@pytest.mark.parametrize("value", [None, "", "x", "é", "racwdl", "c", "b", "2999-01-01T00:00:00Z"])
def test_no_field_can_be_changed(field: str, value: str | None) -> None:
    signed = dict(query(Grant("abc", "one", "r", NOW + 60)))
    if signed[field] == value:
        return
    if value is None:
        del signed[field]
    else:
        signed[field] = value
    with pytest.raises(StorageRefusal) as caught:
        SIGNER.check(signed, "abc", "one", "r", NOW)
    assert caught.value.status == 403
