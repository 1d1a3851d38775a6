"""Who is logged in at auth's own pages: a cookie, and what it proves. Pure."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from services.auth.domain.users import User
from shared.ids import digest, new_secret

_FORM = re.compile(r"[fs]\.[A-Za-z0-9_-]{43}\Z")
_PURPOSE = b"mayfly: a form of this browser"


@dataclass(frozen=True, slots=True)
class BrowserCookie:
    """A random value. Before a login it only ties forms to the browser; a login replaces it, and is stored."""

    value: str

    @classmethod
    def parse(cls, raw_cookie: str | None) -> "BrowserCookie | None":
        """None for what was never one of ours."""
        return cls(raw_cookie) if raw_cookie is not None and _FORM.match(raw_cookie) else None

    @classmethod
    def before_login(cls) -> "BrowserCookie":
        return cls(f"f.{new_secret()}")

    @classmethod
    def of_login(cls) -> "BrowserCookie":
        return cls(f"s.{new_secret()}")

    @property
    def names_session(self) -> bool:
        return self.value.startswith("s.")

    @property
    def id_hash(self) -> str:
        return digest(self.value)

    @property
    def form_token(self) -> str:
        """What each form carries: only who can read the cookie can make it, and it does not give the cookie away."""
        mac = hmac.digest(self.value.encode(), _PURPOSE, hashlib.sha256)
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def made_form(self, unverified_token: str) -> bool:
        return hmac.compare_digest(self.form_token.encode(), unverified_token.encode())

    def __repr__(self) -> str:
        return "BrowserCookie()"


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A row of `browser-sessions`.

    `issued_at`: a revocation of the user up to then ends it, and so does a new password.
    """

    id_hash: str
    user_id: str
    username: str
    issued_at: int
    expires_at: int

    def goes_on(self, user: User | None, revoked_up_to: int, now: float) -> bool:
        """Whether it is still the session of this user, who is as they are now."""
        return (
            user is not None
            and not user.disabled
            and user.user_id == self.user_id
            and self.issued_at > max(revoked_up_to, user.password_changed_at)
            and now < self.expires_at
        )


def begin(user: User, *, issued_at: int, seconds: int, now: float) -> tuple[BrowserCookie, BrowserSession]:
    """The only copy of the cookie, and what to store."""
    cookie = BrowserCookie.of_login()
    return cookie, BrowserSession(cookie.id_hash, user.user_id, user.username, issued_at, int(now) + seconds)
