"""Authorization codes (RFC 6749 §4.1.2): good once, for a minute, for one client, one address, one challenge."""

import re
from dataclasses import dataclass

from services.auth.domain.authorization_requests import AuthorizationRequest
from services.auth.domain.consents import Consent
from services.auth.domain.oauth_errors import InvalidGrant, InvalidOAuthRequest
from services.auth.domain.pkce import fits
from shared.ids import digest, new_secret

GOOD_SECONDS = 60

_FORM = re.compile(r"[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A row of `authorization-codes`; of the code itself only the SHA-256 is kept.

    `session_id`: it was used, and began this session. `redirect_uri_was_given`: then it must be given again.
    """

    code_hash: str
    consent: Consent
    redirect_uri: str
    redirect_uri_was_given: bool
    challenge: str
    good_until: int
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Redemption:
    """What a client sends to exchange a code."""

    unverified_code: str
    redirect_uri: str | None
    verifier: str

    @property
    def code_hash(self) -> str:
        """Under which the code is stored. Raises InvalidGrant for what was never one of ours."""
        if not _FORM.match(self.unverified_code):
            raise InvalidGrant("This is no authorization code.")
        return digest(self.unverified_code)


def new_code(request: AuthorizationRequest, consent: Consent, now: float) -> tuple[str, AuthorizationCode]:
    """The only copy of the code, and what to store of it."""
    code = new_secret()
    return code, AuthorizationCode(
        code_hash=digest(code),
        consent=consent,
        redirect_uri=request.back.redirect_uri,
        redirect_uri_was_given=request.redirect_uri_was_given,
        challenge=request.challenge,
        good_until=int(now) + GOOD_SECONDS,
    )


def check_redemption(redemption: Redemption, code: AuthorizationCode | None, client_id: str) -> AuthorizationCode:
    """The code, if it was issued to this client and this is who asked for it; it may have been used or be too old.

    One answer for all that can be wrong. A code that a stranger has seen is neither spent nor its session ended by the
    stranger's tries, for they lack the verifier.

    Raises:
        InvalidGrant, InvalidOAuthRequest.
    """
    if code is None or code.consent.client_id != client_id:
        raise InvalidGrant("This authorization code is not known.")
    if redemption.redirect_uri is None and code.redirect_uri_was_given:
        raise InvalidOAuthRequest("redirect_uri is missing: it was in the authorization request (RFC 6749 4.1.3).")
    if redemption.redirect_uri not in {None, code.redirect_uri}:
        raise InvalidGrant("redirect_uri is not the one of the authorization request.")
    if not fits(code.challenge, redemption.verifier):
        raise InvalidGrant("code_verifier does not belong to this code.")
    return code
