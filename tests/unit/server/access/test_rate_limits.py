from __future__ import annotations

from typing import Any

import http_sf
import pytest
from starlette.requests import Request

from antiphon.domain.identity import Principal, Role
from antiphon.errors import RateLimitedError
from antiphon.server.access.rate_limits import RateLimiter


def read(field: str) -> Any:
    return http_sf.parse(field.encode(), tltype="list")


def request() -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "headers": []})


def principal(via: str = "key:1", name: str = "ada") -> Principal:
    return Principal("default", name, Role.VIEWER, Role.VIEWER.scopes, via)


def test_each_key_has_its_own_limit_and_hears_what_is_left() -> None:
    limiter = RateLimiter("3/hour")
    for left in (2, 1, 0):
        one = request()
        limiter.check(one, principal())
        policy, standing = one.state.rate_limit
        assert read(policy) == [("default", {"q": 3, "w": 3600})]
        [(name, facts)] = read(standing)
        assert (name, facts["r"]) == ("default", left)
        assert 0 < facts["t"] <= 3601
    refused = request()
    with pytest.raises(RateLimitedError) as error:
        limiter.check(refused, principal())
    assert error.value.details["limit"] == 3
    assert 0 < error.value.details["retry_after_s"] <= 3601
    assert ";r=0;" in refused.state.rate_limit[1]
    limiter.check(request(), principal("key:2"))


def test_users_of_one_provider_do_not_share_a_limit() -> None:
    limiter = RateLimiter("1/hour")
    limiter.check(request(), principal("oidc:https://i", "https://i#ada"))
    limiter.check(request(), principal("oidc:https://i", "https://i#charles"))
    with pytest.raises(RateLimitedError):
        limiter.check(request(), principal("oidc:https://i", "https://i#ada"))


def test_several_limits_at_once() -> None:
    limiter = RateLimiter("100/hour; 2/minute")
    one = request()
    limiter.check(one, principal())
    assert one.state.rate_limit[0] == '"default-3600";q=100;w=3600, "default-60";q=2;w=60'
    limiter.check(request(), principal())
    with pytest.raises(RateLimitedError) as error:
        limiter.check(request(), principal())
    assert error.value.details["limit"] == 2


def test_no_limit() -> None:
    one = request()
    RateLimiter("").check(one, principal())
    assert not hasattr(one.state, "rate_limit")
