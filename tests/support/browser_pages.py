"""A browser without a screen: it keeps cookies, reads forms out of pages and sends them as a person would."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(values["action"]))
        elif tag == "input":
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "button":
            self.forms[-1].steps.append(values["value"])


def forms_of(response: httpx.Response) -> list[Form]:
    parser = _Forms()
    parser.feed(response.text)
    return parser.forms


@dataclass(frozen=True)
class Pkce:
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")


class Browser:
    """Follows no redirect by itself: a test sees each. `move_to` goes on at another instance with the same cookies."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.cookies: dict[str, str] = {}

    def move_to(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, url: str) -> httpx.Response:
        return self._kept(await self.http.get(url, headers=self._headers()))

    async def post(self, url: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        origin = {"origin": str(self.http.base_url).rstrip("/")}
        return self._kept(await self.http.post(url, data=fields, headers={**self._headers(), **origin, **headers}))

    async def send(self, page: httpx.Response, step: str, **typed: str) -> httpx.Response:
        """Press the button of this step."""
        form = next(form for form in forms_of(page) if step in form.steps)
        return await self.post(form.action, {**form.fields, **typed, "step": step})

    async def follow(self, response: httpx.Response) -> httpx.Response:
        assert response.status_code == 303, response.text
        return await self.get(response.headers["location"])

    async def log_in(
        self, page: httpx.Response, username: str = "testuser", password: str = "testpass"
    ) -> httpx.Response:
        return await self.follow(await self.send(page, "log_in", username=username, password=password))

    def _headers(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _kept(self, response: httpx.Response) -> httpx.Response:
        for cookie in response.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.http.cookies.clear()
        return response


def authorize_url(client_id: str, redirect_uri: str, pkce: Pkce, /, **more: str | None) -> str:
    """`more` goes over what a good request has; None leaves a parameter out."""
    parameters: dict[str, str | None] = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": "jobs:read",
        "state": "a state/&=?#",
        "code_challenge": pkce.challenge,
        "code_challenge_method": "S256",
        **more,
    }
    return "/oauth2/authorize?" + urlencode({name: value for name, value in parameters.items() if value is not None})


def answer_of(response: httpx.Response, redirect_uri: str) -> dict[str, str]:
    """What the client is told at its redirect URI."""
    assert response.status_code == 303, response.text
    location = response.headers["location"]
    assert location.startswith(redirect_uri), location
    return dict(parse_qsl(urlsplit(location).query, strict_parsing=True))
