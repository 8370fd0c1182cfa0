"""A small OpenID provider: authorization code flow with PKCE and RS256, as OpenID Connect Core 1.0 has it.

It keeps to the standard where a client could go wrong unseen: exact redirect address, client secret, one use of a code,
code verifier, bearer token at userinfo, nonce in the signed token.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "panhuo", "a-client-secret"


class Provider:
    """The provider and its people: `people[name]` are the claims of whoever signs in under that name."""

    def __init__(self):
        self.people, self.codes, self.tokens, self.down = {}, {}, {}, False
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Answers,), {"provider": self}))
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()

    def asked_for(self):
        """What the site is told of it."""
        return {"name": "统一认证", "client_id": CLIENT, "secret": SECRET, "server_url": self.issuer,
                "claim": "account"}  # fmt: skip

    def configuration(self):
        return {
            "issuer": self.issuer,
            **{
                f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token", "userinfo")
            },
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }

    def code_for(self, asked, name):
        code = secrets.token_urlsafe(16)
        self.codes[code] = (asked, self.people[name], time.time() + 60)
        return code

    def redeem(self, given):
        """The tokens for a code, or None where anything does not fit."""
        asked, claims, until = self.codes.pop(given.get("code"), (None, None, 0))
        if asked is None or time.time() > until or given.get("grant_type") != "authorization_code":
            return None
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        fits = (given.get("redirect_uri") == asked["redirect_uri"]
                and (given.get("client_id"), given.get("client_secret")) == (CLIENT, SECRET)
                and challenge.decode().rstrip("=") == asked["code_challenge"])  # fmt: skip
        if not fits:
            return None
        access, now = secrets.token_urlsafe(16), int(time.time())
        self.tokens[access] = claims
        signed = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "sub": claims["sub"]}
        if "nonce" in asked:
            signed["nonce"] = asked["nonce"]
        token = jwt.encode(signed, self.key, "RS256", headers={"kid": "1"})
        return {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": token}


class Answers(BaseHTTPRequestHandler):
    """The provider's addresses."""

    provider: Provider

    def do_GET(self):
        path, _, query = self.path.partition("?")
        asked = {k: v[0] for k, v in parse_qs(query).items()}
        if self.provider.down:
            return self.say({}, 503)
        match path:
            case "/.well-known/openid-configuration":
                return self.say(self.provider.configuration())
            case "/jwks":
                public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.provider.key.public_key()))
                return self.say({"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]})
            case "/userinfo":
                claims = self.provider.tokens.get(
                    self.headers.get("Authorization", "").removeprefix("Bearer ")
                )
                return self.say(claims or {}, 200 if claims else 401)
            case "/authorization":
                return self.ask(asked)
        return self.say({}, 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {k: v[0] for k, v in parse_qs(body).items()}
        if urlsplit(self.path).path == "/authorization":
            asked = json.loads(given["asked"])
            back = {"state": asked["state"]}
            if given["who"] == "cancel":
                back["error"] = "access_denied"
            else:
                back["code"] = self.provider.code_for(asked, given["who"])
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
            self.end_headers()
            return None
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            name, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
            given |= {"client_id": unquote(name), "client_secret": unquote(secret)}
        tokens = self.provider.redeem(given)
        return self.say(tokens or {"error": "invalid_grant"}, 200 if tokens else 400)

    def ask(self, asked):
        wanted = ("client_id", "redirect_uri", "state", "scope", "response_type", "code_challenge")
        if any(name not in asked for name in wanted) or "openid" not in asked["scope"].split():
            return self.say({"error": "invalid_request"}, 400)
        buttons = "".join(
            f'<button name="who" value="{n}">{n}</button>' for n in (*self.provider.people, "cancel")
        )
        held = json.dumps(asked).replace("&", "&amp;").replace('"', "&quot;")
        page = f'<form method="post"><input type="hidden" name="asked" value="{held}">{buttons}</form>'
        return self.send(page.encode(), "text/html; charset=utf-8")

    def say(self, given, status=200):
        self.send(json.dumps(given, ensure_ascii=False).encode(), "application/json", status)

    def send(self, body, kind, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
