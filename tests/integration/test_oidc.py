from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import JWKRegistry, RSAKey

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.identity import Principal, Role
from antiphon.engine.access.members import save_member
from antiphon.engine.access.tenants import create_tenant
from antiphon.errors import AuthenticationError, ConnectionFailedError, PermissionDeniedError
from antiphon.server.access.oidc import OidcVerifier
from antiphon.server.settings import OidcIssuer
from real_oidc import RealOidc, is_installed
from real_server import real_server

pytestmark = [
    pytest.mark.skipif(
        not is_installed(), reason="the OpenID provider is not installed: make tests/oidc/.venv/.installed"
    ),
    pytest.mark.xdist_group("oidc"),
]


@pytest.fixture(scope="module")
def provider() -> Iterator[RealOidc]:
    found = RealOidc()
    yield found
    found.stop()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[RunningEngine]:
    running = build_engine(tmp_path, dispatch=False)
    yield running
    running.close()


@pytest.fixture
def verify(engine: RunningEngine, provider: RealOidc) -> Callable[..., Principal]:
    """Verifies one token with a verifier of its own, whose clock is `ahead` seconds fast."""

    def run(
        token: str,
        *,
        workspace: str | None = None,
        ahead: float = 0.0,
        audience: str = "antiphon",
        emails: bool = False,
    ) -> Principal:
        async def once() -> Principal:
            async def call(function: Callable[..., Any], *given: Any) -> Any:
                return await asyncio.to_thread(function, *given)

            issuers = [OidcIssuer(issuer=provider.issuer, audience=audience, emails=emails)]
            verifier = OidcVerifier(engine.ctx, call, issuers, clock=lambda: time.time() + ahead)
            try:
                return await verifier.principal(token, workspace)
            finally:
                await verifier.close()

        return asyncio.run(once())

    return run


def join(engine: RunningEngine, subject: str, role: Role = Role.SUBMITTER, workspace: str = "default") -> None:
    save_member(engine.ctx, workspace=workspace, subject=subject, role=role, by="tests")


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    return _decode(header), _decode(claims)


def _decode(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_a_members_token_opens_the_members_workspace(
    provider: RealOidc, engine: RunningEngine, verify: Callable[..., Principal]
) -> None:
    join(engine, f"{provider.issuer}#ada", Role.OPERATOR)
    principal = verify(provider.token())
    assert (principal.workspace, principal.role) == ("default", Role.OPERATOR)
    assert principal.name == f"{provider.issuer}#ada"
    assert principal.via == f"oidc:{provider.issuer}"
    assert principal.scopes == Role.OPERATOR.scopes


def test_a_stranger_with_a_true_token_is_no_member(provider: RealOidc, verify: Callable[..., Principal]) -> None:
    with pytest.raises(PermissionDeniedError) as refused:
        verify(provider.token("charles"))
    assert refused.value.code == "not-a-member"


def test_a_member_of_two_workspaces_says_which(
    provider: RealOidc, engine: RunningEngine, verify: Callable[..., Principal]
) -> None:
    create_tenant(engine.ctx, "chemistry", by="tests")
    join(engine, f"{provider.issuer}#ada", Role.VIEWER)
    join(engine, f"{provider.issuer}#ada", Role.ADMIN, "chemistry")
    token = provider.token()
    with pytest.raises(PermissionDeniedError) as refused:
        verify(token)
    assert refused.value.code == "workspace-not-chosen"
    assert verify(token, workspace="chemistry").role is Role.ADMIN
    assert verify(token, workspace="default").role is Role.VIEWER
    with pytest.raises(PermissionDeniedError) as refused:
        verify(token, workspace="physics")
    assert refused.value.code == "not-a-member"


def test_an_address_that_the_provider_has_not_verified_is_nobody(
    provider: RealOidc, engine: RunningEngine, verify: Callable[..., Principal]
) -> None:
    token = provider.token()
    assert parts_of(token)[1]["email"] == "ada@example.org"
    join(engine, "ada@example.org")
    with pytest.raises(PermissionDeniedError):
        verify(token, emails=True)


def test_an_expired_token(provider: RealOidc, engine: RunningEngine, verify: Callable[..., Principal]) -> None:
    join(engine, f"{provider.issuer}#ada")
    token = provider.token()
    verify(token, ahead=600 + 20)
    with pytest.raises(AuthenticationError) as refused:
        verify(token, ahead=600 + 40)
    assert refused.value.code == "token-expired"


def test_a_token_that_is_not_valid_yet(provider: RealOidc, verify: Callable[..., Principal]) -> None:
    with pytest.raises(AuthenticationError) as refused:
        verify(provider.token(), ahead=-3600)
    assert refused.value.code == "token-claims"


def test_a_token_for_another_audience(
    provider: RealOidc, engine: RunningEngine, verify: Callable[..., Principal]
) -> None:
    join(engine, f"{provider.issuer}#ada")
    token = provider.token(client="another")
    with pytest.raises(AuthenticationError) as refused:
        verify(token)
    assert refused.value.code == "token-claims"
    assert "aud" in refused.value.cause
    assert verify(token, audience="another").name == f"{provider.issuer}#ada"


def test_a_token_of_another_issuer(provider: RealOidc, verify: Callable[..., Principal]) -> None:
    other = RealOidc()
    try:
        token = other.token()
    finally:
        other.stop()
    with pytest.raises(AuthenticationError) as refused:
        verify(token)
    assert refused.value.code == "token-issuer"
    # The same token, saying that it is of the issuer that is known.
    header, claims, signature = token.split(".")
    forged = _encode(json.dumps({**_decode(claims), "iss": provider.issuer}).encode())
    with pytest.raises(AuthenticationError) as refused:
        verify(f"{header}.{forged}.{signature}")
    assert refused.value.code == "token-signature"


def test_claims_changed_after_signing(
    provider: RealOidc, engine: RunningEngine, verify: Callable[..., Principal]
) -> None:
    join(engine, f"{provider.issuer}#charles")
    header, claims, signature = provider.token("ada").split(".")
    forged = _encode(json.dumps({**_decode(claims), "sub": "charles"}).encode())
    with pytest.raises(AuthenticationError) as refused:
        verify(f"{header}.{forged}.{signature}")
    assert refused.value.code == "token-signature"


@pytest.mark.parametrize("name", ["none", "None", "NONE"])
def test_no_signature_at_all(
    provider: RealOidc, engine: RunningEngine, verify: Callable[..., Principal], name: str
) -> None:
    join(engine, f"{provider.issuer}#ada")
    header, claims, _ = provider.token().split(".")
    forged = _encode(json.dumps({**_decode(header), "alg": name}).encode())
    with pytest.raises(AuthenticationError) as refused:
        verify(f"{forged}.{claims}.")
    assert refused.value.code in {"token-signature", "token-malformed"}


@pytest.mark.parametrize("form", ["pem", "der", "jwk"])
def test_the_public_key_as_a_shared_secret(
    provider: RealOidc, engine: RunningEngine, verify: Callable[..., Principal], form: str
) -> None:
    join(engine, f"{provider.issuer}#ada")
    header, claims, _ = provider.token().split(".")
    kid = _decode(header)["kid"]
    entry = next(key for key in provider.public_keys() if key["kid"] == kid)
    key = JWKRegistry.import_key(entry)
    assert isinstance(key, RSAKey)
    secret = {"pem": key.as_pem(private=False), "der": key.as_der(private=False), "jwk": json.dumps(entry).encode()}[
        form
    ]
    forged = _encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode())
    signature = _encode(hmac.new(secret, f"{forged}.{claims}".encode(), hashlib.sha256).digest())
    with pytest.raises(AuthenticationError) as refused:
        verify(f"{forged}.{claims}.{signature}")
    assert refused.value.code == "token-signature"


def test_a_key_that_the_provider_does_not_have(provider: RealOidc, verify: Callable[..., Principal]) -> None:
    header, claims = parts_of(provider.token())
    key = RSAKey.generate_key(2048, {"kid": "unheard-of"})
    with pytest.raises(AuthenticationError) as refused:
        verify(jwt.encode({**header, "kid": "unheard-of"}, claims, key))
    assert refused.value.code == "token-signature"
    # A key of our own under the name of the provider's, and one that the token brings along itself.
    for more in ({}, {"jwk": key.as_dict(private=False)}):
        with pytest.raises(AuthenticationError) as refused:
            verify(jwt.encode({**header, **more}, claims, key))
        assert refused.value.code in {"token-signature", "token-malformed"}


@pytest.mark.parametrize(
    "token",
    ["x", "a.b.c", "....", "e30.e30.", "e30.e30.AA", "eyJhbGciOiJSUzI1NiJ9.W10.AA", "\u00e9.\u00e9.\u00e9", "a" * 9000],
)
def test_what_is_no_token(verify: Callable[..., Principal], token: str) -> None:
    with pytest.raises(AuthenticationError) as refused:
        verify(token)
    assert refused.value.code == "token-malformed"
    assert token not in str(refused.value) or len(token) < 2


def test_a_provider_that_rotates_its_keys_and_goes_away(engine: RunningEngine) -> None:
    rotating = RealOidc(algorithm="EdDSA")
    join(engine, f"{rotating.issuer}#ada")
    now = 1000.0

    async def scenario() -> None:
        nonlocal now

        async def call(function: Callable[..., Any], *given: Any) -> Any:
            return await asyncio.to_thread(function, *given)

        verifier = OidcVerifier(engine.ctx, call, [OidcIssuer(issuer=rotating.issuer, audience="antiphon")])
        verifier._keys[rotating.issuer]._clock = lambda: now
        try:
            old = rotating.token()
            assert parts_of(old)[0]["alg"] == "EdDSA"
            await verifier.principal(old, None)
            rotating.stop()
            rotating.start()
            new = rotating.token()
            # Asked a moment ago: an unknown key does not make us ask again at once.
            with pytest.raises(AuthenticationError):
                await verifier.principal(new, None)
            now += 31
            await verifier.principal(new, None)
            # The old key is not published any more; its tokens end when they are looked at again.
            verifier._tokens.forget(lambda _: True)
            with pytest.raises(AuthenticationError):
                await verifier.principal(old, None)
            rotating.stop()
            now += 7200
            verifier._tokens.forget(lambda _: True)
            await verifier.principal(new, None)
        finally:
            await verifier.close()
        fresh = OidcVerifier(engine.ctx, call, [OidcIssuer(issuer=rotating.issuer, audience="antiphon")])
        try:
            with pytest.raises(ConnectionFailedError) as away:
                await fresh.principal(new, None)
            assert away.value.code == "oidc-unreachable"
        finally:
            await fresh.close()

    try:
        asyncio.run(scenario())
    finally:
        rotating.stop()


def test_a_server_takes_tokens_and_keys(provider: RealOidc, tmp_path: Path) -> None:
    setup = build_engine(tmp_path, dispatch=False)
    join(setup, f"{provider.issuer}#ada", Role.VIEWER)
    setup.close()
    token = provider.token()
    with real_server(tmp_path, "--oidc", f"{provider.issuer},antiphon") as server:
        with server.client(token) as client:
            assert client.get("/v1/jobs").status_code == 200
            refused = client.post("/v1/jobs", json={"target": "sim.auto", "program": "OPENQASM 3.0; qubit q;"})
            assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")
        with server.client(provider.token("charles")) as client:
            answer = client.get("/v1/jobs")
            assert (answer.status_code, answer.json()["code"]) == (403, "not-a-member")
        with server.client() as client:
            [line] = client.get("/v1/audit", params={"action": "auth.refused"}).json()["entries"]
            assert (line["outcome"], line["subject"]) == ("not-a-member", f"{provider.issuer}#charles")
        with server.client() as client:
            assert client.get("/v1/jobs").status_code == 200
        with server.client(token[:-4] + "AAAA") as client:
            answer = client.get("/v1/jobs")
            assert (answer.status_code, answer.json()["code"]) == (401, "token-signature")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert token not in server.log()
