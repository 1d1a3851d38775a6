"""Log in from a terminal: authorization code with PKCE (RFC 7636) and a loopback address (RFC 8252).

python examples/log_in.py CLIENT_ID [ISSUER]
"""

import base64
import hashlib
import secrets
import sys
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

SCOPE = "jobs:read jobs:write"


class Callback(BaseHTTPRequestHandler):
    """Takes the one request with which the browser comes back."""

    answer: dict[str, str]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path != "/callback":  # a browser asks for an icon, too
            self.send_error(404)
            return
        Callback.answer = dict(parse_qsl(address.query))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"You can close this window and go back to the terminal.")

    def log_message(self, *_: object) -> None:
        """The code stands in the address: it belongs in no log."""


def log_in(client_id: str, issuer: str) -> dict[str, str]:
    metadata = httpx.get(f"{issuer}/.well-known/oauth-authorization-server").raise_for_status().json()
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    server = HTTPServer(("127.0.0.1", 0), Callback)
    redirect_uri = f"http://127.0.0.1:{server.server_port}/callback"
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    link = f"{metadata['authorization_endpoint']}?{urlencode(asked)}"
    print(f"Log in at\n{link}", flush=True)
    webbrowser.open(link)
    Callback.answer = {}
    while not Callback.answer:
        server.handle_request()
    answer = Callback.answer
    if answer.get("state") != state or answer.get("iss") != metadata["issuer"]:
        sys.exit("That was no answer to this question.")
    if "error" in answer:
        sys.exit(f"{answer['error']}: {answer.get('error_description', '')}")
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": answer["code"],
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    tokens: dict[str, str] = httpx.post(metadata["token_endpoint"], data=form).raise_for_status().json()
    return tokens


if __name__ == "__main__":
    tokens = log_in(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8001")  # noqa: PLR2004 - the issuer is optional
    print(f"access_token {tokens['access_token'][:16]}… for {tokens['expires_in']} s, scope {tokens['scope']}")
