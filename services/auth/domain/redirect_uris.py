"""Where an authorization code may be sent: to addresses that were registered, letter for letter."""

import re
from urllib.parse import SplitResult, urlsplit

_LONGEST = 2048
_LETTERS = re.compile(r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+\Z")  # of a URI (RFC 3986 §2)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class UnusableRedirectUri(ValueError):  # noqa: N818 - it states the fact
    """The text says what would be right."""


def check_redirect_uri(raw_uri: str) -> None:
    """Whether it may be registered: `https`, or `http` to this very machine; absolute, and without a fragment.

    RFC 9700 §2.1 wants what is registered compared letter for letter, so there are no patterns; RFC 6749 §3.1.2
    forbids the fragment, and RFC 8252 §7.3 is why a program on a user's machine needs no certificate.

    Raises:
        UnusableRedirectUri: it may not.
    """
    if len(raw_uri) > _LONGEST or not _LETTERS.match(raw_uri):
        raise UnusableRedirectUri(f"must be a URI of at most {_LONGEST} letters; encode what is not ASCII")
    try:
        uri = urlsplit(raw_uri)
        host, _ = uri.hostname, uri.port
    except ValueError:
        raise UnusableRedirectUri("must be a URI with a host and a port that can be") from None
    _check_parts(raw_uri, uri, host)


def _check_parts(raw_uri: str, uri: SplitResult, host: str | None) -> None:
    if "#" in raw_uri:
        raise UnusableRedirectUri("must not have a fragment (#…)")
    if not host or "*" in host:
        raise UnusableRedirectUri("must name one host, as in https://app.example/callback")
    if "@" in uri.netloc:
        raise UnusableRedirectUri("must not hold a user or a password")
    if uri.scheme != "https" and not (uri.scheme == "http" and host in _LOOPBACK):
        raise UnusableRedirectUri("must begin with https://, or with http:// and 127.0.0.1, [::1] or localhost")
