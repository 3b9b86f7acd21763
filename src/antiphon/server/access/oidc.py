"""OpenID Connect: a bearer token of a provider that the operator named, and the membership that its subject has."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from joserfc import jws, jwt
from joserfc.errors import (
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
    UnsupportedAlgorithmError,
)

from antiphon.domain.identity import Member, Principal
from antiphon.engine.context import EngineContext
from antiphon.errors import AuthenticationError, PermissionDeniedError
from antiphon.server.access.known import RecentlyKnown
from antiphon.server.access.oidc_keys import TIMEOUT_S, ProviderKeys
from antiphon.server.settings import OidcIssuer

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"
)  # fmt: skip
"""Asymmetric ones alone: with HS256 the provider's public key would do as the secret, and "none" needs no key."""
LEEWAY_S = 30
"""How far the provider's clock and ours may be apart."""
REMEMBERED_TOKEN_S = 60.0
REMEMBERED_MEMBERS_S = 4.0
REMEMBERED = 10_000
WORKSPACE_HEADER = "X-Antiphon-Workspace"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a verified token says.

    Attributes:
        subjects: The names that memberships may be under, the surest first: "<issuer>#<sub>", then a verified e-mail
            if the issuer may vouch for those.
        expires_at: Seconds since the epoch.
    """

    issuer: str
    subjects: tuple[str, ...]
    expires_at: float


class _AsymmetricAlone(jws.JWSRegistry):
    """joserfc would warn of "EdDSA" at every token, since it has a new name; providers go on using the old one."""

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


class OidcVerifier:
    """Verifies tokens of the issuers in the settings.

    Args:
        call: Runs a blocking function in a thread.
        http: Asks the providers; made with short timeouts and without redirects if not given.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        ctx: EngineContext,
        call: Callable[..., Awaitable[Any]],
        issuers: Sequence[OidcIssuer],
        *,
        http: httpx2.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ctx = ctx
        self._call = call
        self._clock = clock
        self._http = http or httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        self._audiences: dict[str, list[str]] = {}
        for each in issuers:
            self._audiences.setdefault(each.issuer, []).append(each.audience)
        self._vouching = {each.issuer for each in issuers if each.emails}
        self._registry = _AsymmetricAlone()
        self._keys = {issuer: ProviderKeys(issuer, self._http) for issuer in self._audiences}
        self._tokens: RecentlyKnown[Identity] = RecentlyKnown(REMEMBERED_TOKEN_S, REMEMBERED)
        self._members: RecentlyKnown[list[Member]] = RecentlyKnown(REMEMBERED_MEMBERS_S, REMEMBERED)

    async def principal(self, token: str, workspace: str | None) -> Principal:
        """Who the token proves, in the workspace asked for, or in the only one that it has.

        Raises:
            AuthenticationError: The token proves nothing here; the code says why.
            PermissionDeniedError: A true token of somebody who is not a member ("not-a-member"), or who is one of
                several workspaces and did not say which ("workspace-not-chosen").
            ConnectionFailedError: The provider's keys cannot be had (code "oidc-unreachable").
        """
        identity = self._tokens.get(token)
        if identity is None or identity.expires_at + LEEWAY_S <= self._clock():
            identity = await self._verify(token)
            self._tokens.put(token, identity)
        member = _chosen(await self._memberships(identity), workspace, identity)
        return Principal(
            workspace=member.workspace,
            name=member.subject,
            role=member.role,
            scopes=member.role.scopes,
            via=f"oidc:{identity.issuer}",
        )

    def forget_members(self) -> None:
        """Ask the store the next time: a member was changed."""
        self._members.forget(lambda _: True)

    async def close(self) -> None:
        """End the connections to providers."""
        await self._http.aclose()

    async def _verify(self, token: str) -> Identity:
        issuer, kid = _said(token)
        if issuer not in self._keys:
            raise _refused("token-issuer", "it is of an issuer that this server does not know")
        keys = await self._keys[issuer].find(kid)
        if keys is None:
            raise _refused("token-signature", "its issuer has no key of that name")
        rules = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "values": self._audiences[issuer]},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(token, keys, registry=self._registry).claims
            rules.validate(claims)
        except ExpiredTokenError:
            raise _refused("token-expired", "it has expired") from None
        except (InvalidClaimError, MissingClaimError) as error:
            raise _refused(
                "token-claims", f"its claim {error.claim} is missing or not the one that is needed"
            ) from None
        except (JoseError, ValueError):
            raise _refused("token-signature", "its signature is not its issuer's") from None
        return Identity(issuer, subjects_of(issuer, claims, emails=issuer in self._vouching), float(claims["exp"]))

    async def _memberships(self, identity: Identity) -> list[Member]:
        name = "\n".join(identity.subjects)
        known = self._members.get(name)
        if known is None:
            known = await self._call(_memberships, self._ctx, identity.subjects)
            self._members.put(name, known)
        return known


def subjects_of(issuer: str, claims: Mapping[str, Any], *, emails: bool) -> tuple[str, ...]:
    """The names that memberships of a token's subject may be under: "<issuer>#<sub>", then a verified e-mail.

    Args:
        emails: Whether the issuer is trusted with addresses (`OidcIssuer.emails`).
    """
    own, email = f"{issuer}#{claims['sub']}", claims.get("email")
    if not emails or claims.get("email_verified") is not True or not isinstance(email, str):
        return (own,)
    # An address that reads as an issuer's subject would let one provider speak for another.
    return (own,) if "://" in email or "@" not in email else (own, email)


def _memberships(ctx: EngineContext, subjects: tuple[str, ...]) -> list[Member]:
    with ctx.store.read() as tx:
        return tx.memberships(subjects)


def _chosen(members: Sequence[Member], workspace: str | None, identity: Identity) -> Member:
    by_workspace: dict[str, Member] = {}
    for member in members:
        by_workspace.setdefault(member.workspace, member)  # the surest subject comes first
    if workspace is not None and workspace in by_workspace:
        return by_workspace[workspace]
    if workspace is None and len(by_workspace) == 1:
        return next(iter(by_workspace.values()))
    if workspace is None and by_workspace:
        raise PermissionDeniedError(
            "You are a member of several workspaces, and the request does not say which one it is about.",
            code="workspace-not-chosen",
            next_step=f"Send the header {WORKSPACE_HEADER} with one of them: {', '.join(sorted(by_workspace))}.",
            details={"workspaces": sorted(by_workspace)},
        )
    raise PermissionDeniedError(
        "You are known, and not a member of " + ("that workspace." if workspace is not None else "any workspace here."),
        code="not-a-member",
        next_step=f"Ask an admin to add you: `antiphon members add '{identity.subjects[-1]}' --role submitter`.",
        details={"subjects": list(identity.subjects)},
    )


def _said(token: str) -> tuple[str, str | None]:
    """Issuer and key name as the token says them: not verified, only to know whose keys to verify it with."""
    try:
        parts = jws.extract_compact(token.encode())
        claims = json.loads(parts.payload)
        issuer, kid = claims["iss"], parts.headers().get("kid")
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _refused("token-malformed", "it is neither an API key nor a signed JSON Web Token") from None
    if not isinstance(issuer, str) or not isinstance(kid, str | None):
        raise _refused("token-malformed", "its issuer or key name is no text")
    return issuer, kid


def _refused(code: str, cause: str) -> AuthenticationError:
    return AuthenticationError(
        "This token opens nothing here.",
        code=code,
        cause=cause,
        next_step="Get a new token from the provider that the operator of this server named, for its audience.",
    )
