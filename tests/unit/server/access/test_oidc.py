from __future__ import annotations

import pytest

from antiphon.server.access.oidc import subjects_of
from antiphon.server.settings import OidcIssuer

ISSUER = "https://id.example"


def test_a_verified_address_is_a_second_name() -> None:
    claims = {"sub": "7", "email": "ada@example.org", "email_verified": True}
    assert subjects_of(ISSUER, claims, emails=True) == ("https://id.example#7", "ada@example.org")


@pytest.mark.parametrize("verified", [False, "true", 1, None])
def test_an_address_that_is_not_verified_is_no_name(verified: object) -> None:
    assert subjects_of(ISSUER, {"sub": "7", "email": "ada@example.org", "email_verified": verified}, emails=True) == (
        "https://id.example#7",
    )


@pytest.mark.parametrize("email", ["https://other.example#admin", "https://other.example#a@b", "admin", "", 5, None])
def test_no_provider_speaks_for_another(email: object) -> None:
    claims = {"sub": "7", "email": email, "email_verified": True}
    assert subjects_of(ISSUER, claims, emails=True) == ("https://id.example#7",)


def test_an_issuer_speaks_for_addresses_only_where_that_is_set() -> None:
    claims = {"sub": "7", "email": "ada@example.org", "email_verified": True}
    assert subjects_of(ISSUER, claims, emails=False) == ("https://id.example#7",)
    assert not OidcIssuer(issuer=ISSUER, audience="a").emails
