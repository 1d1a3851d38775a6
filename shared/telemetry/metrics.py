"""What Prometheus reads at `/metrics`: rate, errors and duration of each route and of each AWS call.

A module that has more to say defines its own metrics with the prefix `mayfly_` (and the unit, as Prometheus wants it).
"""

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("mayfly_http_requests_total", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("mayfly_http_request_seconds", "From head to last byte.", ["route"], buckets=_BUCKETS)
REQUESTS_UNDER_WAY = Gauge("mayfly_http_requests_under_way", "Requests that are not answered yet.")
AWS_SECONDS = Histogram(
    "mayfly_aws_call_seconds", "Time of one AWS call, retries and all.", ["service", "operation"], buckets=_BUCKETS
)
AWS_ERRORS = Counter("mayfly_aws_call_errors_total", "AWS calls that failed.", ["service", "operation", "code"])


def exposition() -> tuple[bytes, str]:
    """The body and content type of `/metrics`."""
    return generate_latest(), CONTENT_TYPE_LATEST
