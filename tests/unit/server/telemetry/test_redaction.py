from __future__ import annotations

import pytest

from antiphon.server.telemetry.redaction import HIDDEN, redact, redact_fields

SECRET = "a2b3c4d5e6f7" * 5
KEY = f"ant_01k5y2z3a4b5c6d7e8f9g0h1j2_{SECRET}"


@pytest.mark.parametrize(
    "text",
    [
        f"refused {KEY} today",
        f"GET https://host/c/blob?sv=2024&sig={SECRET}&se=9",
        f"GET /c/blob?sv=2024&SIG={SECRET}",
        f"sig%3D{SECRET}%26se%3D9",
        f"Authorization: Bearer {SECRET}",
        f"authorization: Basic {SECRET}==",
        f"{{'authorization': 'Bearer {SECRET}', 'host': 'x'}}",
        f'{{"x-api-key": "{SECRET}"}}',
        f"[(b'host', b'x'), (b'x-ms-quantum-api-key', b'{SECRET}')]",
        f"x-api-key={SECRET}",
        f"password: {SECRET}",
        f"postgresql://ada:{SECRET}@db/antiphon is away",
        f"signed with whsec_{SECRET}=",
        f"token eyJhbGciOi.eyJzdWIi.{SECRET}",
        f"sent bearer {SECRET}",
    ],
)
def test_a_secret_in_a_text(text: str) -> None:
    shown = redact(text)
    assert SECRET not in shown
    assert HIDDEN in shown


def test_which_key_it_was_can_still_be_seen() -> None:
    assert redact(f"refused {KEY}!") == f"refused ant_01k5y2z3a4b5c6d7e8f9g0h1j2_{HIDDEN}!"


def test_the_rest_of_a_url_stays() -> None:
    assert redact(f"https://h/c?sv=1&sig={SECRET}&se=9") == f"https://h/c?sv=1&sig={HIDDEN}&se=9"


@pytest.mark.parametrize(
    "text",
    [
        "the secret is kept",
        "https://host/path?a=1",
        "signature of a plan",
        "key key_01 was revoked",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_fields_at_any_depth() -> None:
    class Odd:
        def __repr__(self) -> str:
            return f"<Odd api_key='{SECRET}'>"

    shown = redact_fields(
        {
            "token": SECRET,
            "Authorization": SECRET,
            "status": 200,
            "ok": True,
            "none": None,
            "headers": {"cookie": SECRET, "host": "x"},
            "urls": [f"http://x/?sig={SECRET}", ("y", f"Bearer {SECRET}")],
            "odd": Odd(),
            "password": "",
        }
    )
    assert SECRET not in repr(shown)
    assert (shown["status"], shown["ok"], shown["none"], shown["password"]) == (200, True, None, "")
    assert shown["headers"]["host"] == "x"
