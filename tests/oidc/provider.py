"""Run Canaille, an OpenID provider, on a port of loopback with one client and two users, all in memory.

    python provider.py PORT SIGNING_ALGORITHM EXPIRES_IN

Prints one line when it answers. Its keys are new at every start.
"""

from __future__ import annotations

import sys

from canaille import create_app
from canaille.app import models
from joserfc.jwk import OKPKey, RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "antiphon", "the-client-s-secret"
USERS = {"ada": "countess-of-lovelace", "charles": "difference-engine"}


def main() -> None:
    """Serve until killed."""
    port, algorithm, expires_in = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    app = create_app(
        {
            "SECRET_KEY": "only for tests",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "CAPTCHA_ENABLED": False},
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [
                    RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True),
                    OKPKey.generate_key("Ed25519", auto_kid=True).as_dict(private=True),
                ]
            },
            "OAUTH2_TOKEN_EXPIRES_IN": dict.fromkeys(("password", "client_credentials"), expires_in),
        }
    )
    with app.app_context():
        backend = app.backend
        for name, password in USERS.items():
            user = models.User(
                user_name=name,
                given_name=name.title(),
                family_name="Example",
                formatted_name=name.title(),
                emails=[f"{name}@example.org"],
                password=password,
            )
            backend.save(user)
        for client_id in (CLIENT_ID, "another"):
            client = models.Client(
                client_id=client_id,
                client_secret=CLIENT_SECRET,
                client_name=client_id,
                client_uri="http://127.0.0.1",
                redirect_uris=["http://127.0.0.1/callback"],
                grant_types=["password", "client_credentials"],
                response_types=["code"],
                scope=["openid", "profile", "email"],
                token_endpoint_auth_method="client_secret_post",
                id_token_signed_response_alg=algorithm,
            )
            backend.save(client)
            client.audience = [client]
            backend.save(client)
    server = make_server("127.0.0.1", port, app, threaded=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
