"""docs/reference/metrics.md: every metric that the product defines."""

from prometheus_client import Counter, Gauge, Histogram, Metric

from docs.generators.markdown import code, page, table
from docs.generators.modules import part_of, product_modules

_INTRODUCTION = """Each process answers `GET /metrics` in Prometheus' text format: auth and the processor on their
ports, a worker on `MAYFLY_WORKER_PORT`. A counter's name ends in `_total`; a histogram has `_bucket`, `_count` and
`_sum` below its name. Python's own metrics (`python_…`, `process_…`) are there too."""

_METRICS = (Counter, Gauge, Histogram)


def metrics_page() -> str:
    found: dict[str, list[str]] = {}
    for module in product_modules():
        for metric in vars(module).values():
            if isinstance(metric, _METRICS):
                found.setdefault(_name(metric), _row(metric, part_of(module.__name__)))
    heads = ["metric", "kind", "labels", "process", "what it says"]
    return page("Metrics", _INTRODUCTION, table(heads, [found[name] for name in sorted(found)]))


def _described(metric: Counter | Gauge | Histogram) -> Metric:
    return next(iter(metric.describe()))


def _name(metric: Counter | Gauge | Histogram) -> str:
    name = _described(metric).name
    return f"{name}_total" if isinstance(metric, Counter) else name


def _row(metric: Counter | Gauge | Histogram, part: str) -> list[str]:
    described = _described(metric)
    labels = ", ".join(map(code, metric._labelnames)) or "none"  # noqa: SLF001 - no public way tells the labels' names
    process = {"shared": "all", "auth": "auth", "processor": "processor, worker"}[part]
    return [code(_name(metric)), described.type, labels, process, described.documentation]
