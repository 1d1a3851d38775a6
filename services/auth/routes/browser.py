"""The browser at auth's pages: its cookie, and whether a form that it sends is one of ours."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.auth.domain.authorization_requests import Parameters
from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.problems import FormNotOurs
from services.auth.domain.sessions import Origin
from services.auth.flows.password_check import Credentials
from services.auth.resources import Resources
from services.auth.settings import AuthSettings
from shared.errors import InvalidRequest
from shared.web.forms import read_query

_SEE_OTHER = 303
_OWN_SITE = {None, "same-origin"}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser. `cookie`: the one it has, or a new one that comes with the answer."""

    settings: AuthSettings
    cookie: BrowserCookie
    brought_cookie: bool
    parameters: Parameters

    @classmethod
    def of(cls, request: Request, settings: AuthSettings) -> "Visit":
        """Raises InvalidRequest: the query can't be read."""
        brought = BrowserCookie.parse(request.cookies.get(settings.browser_cookie_name))
        cookie = brought or BrowserCookie.before_login()
        return cls(settings, cookie, brought is not None, Parameters.of(read_query(request)))

    def answered(self, response: Response) -> Response:
        """With the cookie, if the browser has none yet."""
        return response if self.brought_cookie else with_cookie(response, self.cookie, self.settings)


@dataclass(frozen=True, slots=True)
class SentForm:
    """One of our own forms, the visit that it stood on, and where it comes from."""

    visit: Visit
    form: Mapping[str, str]
    origin: Origin

    @property
    def parameters(self) -> Parameters:
        return self.visit.parameters

    @property
    def cookie(self) -> BrowserCookie:
        return self.visit.cookie

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.form.get("username", ""), self.form.get("password", ""))


FormAnswer: TypeAlias = Callable[[Resources, SentForm], Awaitable[Response]]


def answer_to(raw_step: str, steps: Mapping[str, FormAnswer]) -> FormAnswer:
    """What the button does that was pressed. Raises InvalidRequest: no page of ours has it."""
    if raw_step not in steps:
        raise InvalidRequest("step: one that a page of ours offers.")
    return steps[raw_step]


def require_own_form(request: Request, visit: Visit, form: Mapping[str, str]) -> None:
    """The form is one that this server made for this browser.

    Two things are looked at, each of which is enough against a form on another site: where it was sent from, as the
    browser says, and a token that only this browser's pages have.

    Raises:
        FormNotOurs: it is not.
    """
    is_ours = visit.brought_cookie and visit.cookie.made_form(form.get("form_token", ""))
    if not is_ours or not _from_own_site(request, visit.settings):
        raise FormNotOurs


def with_cookie(response: Response, cookie: BrowserCookie, settings: AuthSettings) -> Response:
    """It lasts as long as the browser runs; how long a login is good, the server knows."""
    name = settings.browser_cookie_name
    response.set_cookie(name, cookie.value, httponly=True, samesite="lax", secure=settings.browser_cookie_is_secure)
    return response


def go_to(uri: str) -> Response:
    """303, never 307: a form's fields are not sent on (RFC 9700 §4.12)."""
    return RedirectResponse(uri, _SEE_OTHER, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _from_own_site(request: Request, settings: AuthSettings) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") in _OWN_SITE
    issuer = urlsplit(settings.issuer)
    return origin in {f"{request.url.scheme}://{request.url.netloc}", f"{issuer.scheme}://{issuer.netloc}"}
