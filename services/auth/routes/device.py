"""`/oauth2/device_authorization` and `/oauth2/device`: a device without a browser is let in (RFC 8628)."""

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.auth.dependencies import AuthResources, RequestOrigin
from services.auth.domain.browser_sessions import BrowserCookie
from services.auth.domain.clients import presented_client
from services.auth.domain.device_codes import GOOD_SECONDS, INTERVAL_SECONDS, DeviceCode, UserCode
from services.auth.domain.device_steps import AskDeviceConsent, AskDeviceLogin, AskUserCode, DeviceDecided, DeviceStep
from services.auth.domain.oauth_errors import InvalidClient, InvalidOAuthRequest, InvalidScope, UnauthorizedClient
from services.auth.domain.problems import (
    FormNotOurs,
    InvalidCredentials,
    TooManyAttempts,
    TooManyCodes,
    TooManyDevices,
    TooManyLogins,
)
from services.auth.resources import Resources
from services.auth.routes.browser import FormAnswer, SentForm, Visit, answer_to, go_to, require_own_form, with_cookie
from services.auth.routes.oauth_errors import DEVICE, NO_STORE, PREFIX, OAuthRoute, oauth_responses
from services.auth.routes.page_documentation import form_body, page_responses, query_parameters
from services.auth.routes.pages import how_long, in_words, message_page, page
from shared.errors import InvalidRequest, PayloadTooLarge, Unavailable
from shared.web.forms import read_form
from shared.web.problems import retry_after
from shared.web.schema import ResponseModel

pages = APIRouter(tags=["pages"])
oauth = APIRouter(prefix=PREFIX, tags=["oauth2"], route_class=OAuthRoute)


class DeviceAuthorizationResponse(ResponseModel):
    """RFC 8628 §3.2."""

    device_code: str = Field(description="For the token endpoint; nobody sees it.", examples=["9f86d081…"])
    user_code: str = Field(description="The device shows it.", examples=["WDJB-MJHT"])
    verification_uri: str = Field(
        description="The device shows it, too.", examples=["http://127.0.0.1:8001/oauth2/device"]
    )
    verification_uri_complete: str = Field(
        description="The same with the code in it, for a QR code.",
        examples=["http://127.0.0.1:8001/oauth2/device?user_code=WDJB-MJHT"],
    )
    expires_in: int = Field(description="Seconds in which the user must decide.", examples=[GOOD_SECONDS])
    interval: int = Field(description="Seconds between two questions of the device.", examples=[INTERVAL_SECONDS])

    @classmethod
    def of(cls, codes: tuple[UserCode, DeviceCode], issuer: str) -> "DeviceAuthorizationResponse":
        user_code, device_code = map(str, codes)
        uri = f"{issuer}{DEVICE}"
        return cls(
            device_code=device_code,
            user_code=user_code,
            verification_uri=uri,
            verification_uri_complete=f"{uri}?{urlencode({'user_code': user_code})}",
            expires_in=GOOD_SECONDS,
            interval=INTERVAL_SECONDS,
        )


@oauth.post(
    "/device_authorization",
    summary="Begin on a device without a browser",
    responses=oauth_responses(
        InvalidOAuthRequest,
        InvalidScope,
        UnauthorizedClient,
        InvalidClient,
        PayloadTooLarge,
        TooManyDevices,
        Unavailable,
    ),
    openapi_extra=form_body({"client_id": "my-tv", "scope": "jobs:read"}),
)
async def start(
    request: Request, response: Response, origin: RequestOrigin, resources: AuthResources
) -> DeviceAuthorizationResponse:
    """The device shows `user_code` and `verification_uri`, and asks at `/oauth2/token` until its user has decided.

    The client must be registered for the grant `urn:ietf:params:oauth:grant-type:device_code`. It asks every `interval`
    seconds; for each answer `slow_down` it waits five seconds more from then on.
    """
    response.headers.update(NO_STORE)
    form = await read_form(request)
    client = presented_client(request.headers.get("authorization"), form)
    codes = await resources.devices.start(client, form.get("scope"), origin)
    return DeviceAuthorizationResponse.of(codes, resources.settings.issuer)


@pages.get(
    DEVICE,
    summary="Enter the code of a device",
    response_class=Response,
    responses=page_responses("The page that is due: login or code", InvalidRequest, Unavailable),
    openapi_extra=query_parameters({"user_code": "Filled in for the user, who still has to compare it."}),
)
async def show(request: Request, resources: AuthResources) -> Response:
    """A page for people: they log in, enter the code that their device shows, and let it in or not."""
    visit = Visit.of(request, resources.settings)
    typed = visit.parameters.once("user_code") or ""
    return _shown(visit, await resources.devices.show(visit.cookie, typed[:_LONGEST_CODE]))


@pages.post(
    DEVICE,
    summary="What the forms of this page send",
    response_class=Response,
    responses=page_responses(
        "The page that is due",
        InvalidRequest,
        InvalidCredentials,
        FormNotOurs,
        PayloadTooLarge,
        TooManyAttempts,
        TooManyLogins,
        TooManyCodes,
        Unavailable,
    ),
    openapi_extra=form_body({"step": "find", "form_token": "of the page", "user_code": "WDJB-MJHT"}),
)
async def answer(request: Request, origin: RequestOrigin, resources: AuthResources) -> Response:
    """Each form carries what ties it to this browser; nothing that another site makes a browser send has an effect."""
    visit = Visit.of(request, resources.settings)
    form = await read_form(request)
    require_own_form(request, visit, form)
    return await answer_to(form.get("step", ""), _STEPS)(resources, SentForm(visit, form, origin))


def _user_code(sent: SentForm) -> str:
    return sent.form.get("user_code", "")


async def _log_in(resources: Resources, sent: SentForm) -> Response:
    done = await resources.devices.log_in(sent.credentials, sent.origin, sent.cookie)
    if isinstance(done, BrowserCookie):
        return with_cookie(go_to(_here(sent.visit)), done, resources.settings)
    return _shown(sent.visit, done, sent.credentials.username)


async def _find(resources: Resources, sent: SentForm) -> Response:
    return _shown(sent.visit, await resources.devices.find(sent.cookie, _user_code(sent), sent.origin))


async def _allow(resources: Resources, sent: SentForm) -> Response:
    step = await resources.devices.decide(sent.cookie, _user_code(sent), sent.origin, allow=True)
    return _shown(sent.visit, step)


async def _deny(resources: Resources, sent: SentForm) -> Response:
    step = await resources.devices.decide(sent.cookie, _user_code(sent), sent.origin, allow=False)
    return _shown(sent.visit, step)


async def _log_out(resources: Resources, sent: SentForm) -> Response:
    await resources.browser.log_out(sent.cookie)
    return with_cookie(go_to(_here(sent.visit)), BrowserCookie.before_login(), resources.settings)


_STEPS: Mapping[str, FormAnswer] = {
    "log_in": _log_in,
    "find": _find,
    "allow": _allow,
    "deny": _deny,
    "log_out": _log_out,
}
_LONGEST_CODE = 32


def _shown(visit: Visit, step: DeviceStep, username: str = "") -> Response:
    return visit.answered(_page_of(visit, step, username))


def _page_of(visit: Visit, step: DeviceStep, username: str) -> Response:
    if isinstance(step, AskDeviceLogin):
        return _login(visit, step, username)
    if isinstance(step, AskUserCode):
        return _code(visit, step)
    return _consent(visit, step) if isinstance(step, AskDeviceConsent) else _decided(step)


def _login(visit: Visit, step: AskDeviceLogin, username: str) -> Response:
    refusal = step.refusal
    return page(
        "login.html",
        "Log in" if refusal is None else "Log in: that did not work",
        status=200 if refusal is None else refusal.status,
        headers={} if refusal is None else refusal.headers | retry_after(refusal),
        reason="Then enter the code that your device shows.",
        refusal=refusal and refusal.detail,
        username=username,
        can_deny=False,
        action=_here(visit),
        form_token=visit.cookie.form_token,
    )


def _code(visit: Visit, step: AskUserCode) -> Response:
    problem = step.problem
    return page(
        "device.html",
        "Let a device in" if step.refusal is None else "Let a device in: that did not work",
        status=200 if problem is None else problem.status,
        headers={} if problem is None else retry_after(problem),
        username=step.username,
        user_code=step.typed[:_LONGEST_CODE],
        refusal=step.refusal,
        action=DEVICE,
        form_token=visit.cookie.form_token,
    )


def _consent(visit: Visit, step: AskDeviceConsent) -> Response:
    return page(
        "consent.html",
        f"Let {step.client.name} in?",
        client_name=step.client.name,
        username=step.user.username,
        scope=in_words(step.scope),
        how_long=how_long(visit.settings.session_ttl_seconds),
        note=f"Go on only if a device of yours shows {step.user_code} now. It asked from the address {step.address}.",
        hidden={"user_code": str(step.user_code)},
        action=DEVICE,
        form_token=visit.cookie.form_token,
    )


def _decided(step: DeviceDecided) -> Response:
    if step.is_allowed:
        return message_page("Your device is let in", f"{step.client.name} goes on by itself. You can close this page.")
    return message_page("Your device is not let in", f"{step.client.name} gets nothing. You can close this page.")


def _here(visit: Visit) -> str:
    typed = visit.parameters.once("user_code")
    return f"{DEVICE}?{urlencode({'user_code': typed[:_LONGEST_CODE]})}" if typed else DEVICE


router = APIRouter()
router.include_router(oauth)
router.include_router(pages)
