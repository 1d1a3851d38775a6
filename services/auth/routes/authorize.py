"""`/oauth2/authorize`: a person logs in and lets a client in (RFC 6749 §4.1, RFC 9700, RFC 9207)."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from services.auth.dependencies import AuthResources, RequestOrigin
from services.auth.domain.authorization_requests import PROMPTS, AuthorizationRequest, Parameters
from services.auth.domain.authorization_steps import AskConsent, AskLogin, GoTo, Step
from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.problems import (
    FormNotOurs,
    InvalidCredentials,
    TooManyAttempts,
    TooManyLogins,
    UnusableAuthorizationRequest,
)
from services.auth.domain.redirects import form_target, shown_target
from services.auth.resources import Resources
from services.auth.routes.browser import FormAnswer, SentForm, Visit, answer_to, go_to, require_own_form, with_cookie
from services.auth.routes.oauth_errors import AUTHORIZE
from services.auth.routes.page_documentation import form_body, page_responses, query_parameters
from services.auth.routes.pages import how_long, in_words, page
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable
from shared.web.forms import read_form
from shared.web.problems import retry_after

router = APIRouter(tags=["pages"])


@router.get(
    AUTHORIZE,
    summary="Ask a user to let a client in",
    response_class=Response,
    responses=page_responses(
        "The page that is due: login or consent", InvalidRequest, UnusableAuthorizationRequest, Unavailable
    ),
    openapi_extra=query_parameters(
        {
            "response_type": "`code`.",
            "client_id": "A registered client.",
            "redirect_uri": "One that it has registered, exactly; of one alone it may be left out.",
            "code_challenge": "PKCE (RFC 7636): the base64url of the SHA-256 of the verifier.",
            "code_challenge_method": "`S256`.",
            "state": "Comes back as it was, at most 4,096 characters.",
            "scope": "What the client asks for; all that it may have by default.",
            "prompt": f"Some of {', '.join(f'`{prompt}`' for prompt in PROMPTS)}.",
            "response_mode": "`query`.",
        }
    ),
)
async def show(request: Request, resources: AuthResources) -> Response:
    """A page for people: it is opened in a browser, and leads back to `redirect_uri` in the end.

    There it says `code`, `state` and `iss` (RFC 9207), or `error`, `error_description`, `state` and `iss`. While client
    and redirect URI don't belong together it leads nowhere, and says so to the user.
    """
    visit = Visit.of(request, resources.settings)
    return _shown(visit, await resources.browser.show_authorization(visit.parameters, visit.cookie))


@router.post(
    AUTHORIZE,
    summary="What the forms of these pages send",
    response_class=Response,
    responses=page_responses(
        "The page again",
        InvalidRequest,
        UnusableAuthorizationRequest,
        InvalidCredentials,
        FormNotOurs,
        PayloadTooLarge,
        TooManyAttempts,
        TooManyLogins,
        Unavailable,
    ),
    openapi_extra=form_body({"step": "allow", "form_token": "of the page"}),
)
async def answer(request: Request, origin: RequestOrigin, resources: AuthResources) -> Response:
    """Each form carries what ties it to this browser; nothing that another site makes a browser send has an effect.

    A client may send its authorization request here as well, as a form: the browser is led to the same with `GET`.
    """
    visit = Visit.of(request, resources.settings)
    form = await read_form(request)
    if "step" not in form:
        return go_to(f"{AUTHORIZE}?{Parameters.of(form.items()).query()}")
    require_own_form(request, visit, form)
    return await answer_to(form["step"], _STEPS)(resources, SentForm(visit, form, origin))


async def _log_in(resources: Resources, sent: SentForm) -> Response:
    done = await resources.browser.log_in_at_authorization(sent.parameters, sent.credentials, sent.origin, sent.cookie)
    if isinstance(done, BrowserCookie):
        answer = go_to(f"{AUTHORIZE}?{sent.parameters.query(without_login=True)}")
        return with_cookie(answer, done, resources.settings)
    return _shown(sent.visit, done, sent.credentials.username)


async def _allow(resources: Resources, sent: SentForm) -> Response:
    return _shown(sent.visit, await resources.browser.grant_authorization(sent.parameters, sent.cookie))


async def _deny(resources: Resources, sent: SentForm) -> Response:
    return _shown(sent.visit, await resources.browser.deny_authorization(sent.parameters))


async def _log_out(resources: Resources, sent: SentForm) -> Response:
    await resources.browser.log_out(sent.cookie)
    answer = go_to(f"{AUTHORIZE}?{sent.parameters.query()}")
    return with_cookie(answer, BrowserCookie.before_login(), resources.settings)


_STEPS: Mapping[str, FormAnswer] = {
    "log_in": _log_in,
    "allow": _allow,
    "deny": _deny,
    "log_out": _log_out,
}


def _shown(visit: Visit, step: Step, username: str = "") -> Response:
    if isinstance(step, GoTo):
        return visit.answered(go_to(step.uri))
    shown = _login(visit, step, username) if isinstance(step, AskLogin) else _consent(visit, step)
    return visit.answered(shown)


def _login(visit: Visit, step: AskLogin, username: str) -> Response:
    refusal = step.refusal
    return page(
        "login.html",
        "Log in" if refusal is None else "Log in: that did not work",
        status=200 if refusal is None else refusal.status,
        headers={} if refusal is None else refusal.headers | retry_after(refusal),
        reason=f"{step.request.client.name} asks you to log in.",
        refusal=refusal and refusal.detail,
        username=username,
        can_deny=True,
        **_form_of(visit, step.request),
    )


def _consent(visit: Visit, step: AskConsent) -> Response:
    return page(
        "consent.html",
        f"Let {step.request.client.name} in?",
        client_name=step.request.client.name,
        username=step.username,
        scope=in_words(step.scope),
        how_long=how_long(visit.settings.session_ttl_seconds),
        note=f"Whatever you choose, you will be sent to {shown_target(step.request.back.redirect_uri)}.",
        hidden={},
        **_form_of(visit, step.request),
    )


def _form_of(visit: Visit, request: AuthorizationRequest) -> dict[str, Any]:
    return {
        "action": f"{AUTHORIZE}?{visit.parameters.query()}",
        "form_token": visit.cookie.form_token,
        "form_targets": (form_target(request.back.redirect_uri),),
    }
