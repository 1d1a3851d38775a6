"""What an endpoint that takes a form says of it, for its documentation."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.web.forms import MEDIA_TYPE

_CREDENTIALS = {
    "client_id": {"type": "string", "description": "May come by HTTP Basic instead, with the secret."},
    "client_secret": {"type": "string", "format": "password"},
}


def form_body(properties: Mapping[str, Any], required: Sequence[str], example: Mapping[str, str]) -> dict[str, Any]:
    """The `openapi_extra=` of the route; the client's credentials are added."""
    schema = {
        "type": "object",
        "required": list(required),
        "properties": {**properties, **_CREDENTIALS},
        "example": dict(example),
    }
    return {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": schema}}}}
