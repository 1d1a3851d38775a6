"""Where a browser is sent back to: only where the client's registration says (RFC 9700 §2.1, §4.1)."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode, urlsplit

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::([0-9]{1,5}))?(/[^#]*)?\Z", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]+)?\Z")
_MOST_PORT = 65_535


def is_registered(unverified_uri: str, registered: Iterable[str]) -> bool:
    """Equal to one of the registered, letter for letter.

    One exception (RFC 8252 §7.3): a program on the user's own machine can't choose its port beforehand. Where a
    loopback address is registered without a port, a request may name any; a registered port is a part of the address
    like any other. No name (`localhost`) is loopback here: it may resolve to something else (§8.3).
    """
    return any(unverified_uri == uri or _differs_in_port(unverified_uri, uri) for uri in registered)


def with_parameters(redirect_uri: str, parameters: Mapping[str, str]) -> str:
    """The address with these added to its query, which it keeps (RFC 6749 §3.1.2)."""
    separator = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{separator}{urlencode(parameters)}"


def form_target(redirect_uri: str) -> str:
    """The source expression of CSP for it: browsers apply `form-action` to where a form's answer redirects, too."""
    parts = urlsplit(redirect_uri)
    # CSP has no word for an IPv6 address, and what is no plain name must not end up in the header.
    return f"{parts.scheme}://{parts.netloc}" if _PLAIN.match(parts.netloc) else f"{parts.scheme}:"


def shown_target(redirect_uri: str) -> str:
    """What a person is told of where they will be sent to."""
    return urlsplit(redirect_uri).netloc


def _differs_in_port(unverified_uri: str, registered: str) -> bool:
    asked, known = _LOOPBACK.match(unverified_uri), _LOOPBACK.match(registered)
    if asked is None or known is None or known[2] is not None:
        return False
    is_port = asked[2] is None or 0 < int(asked[2]) <= _MOST_PORT
    return is_port and (asked[1], asked[3]) == (known[1], known[3])
