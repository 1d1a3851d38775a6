"""What all peers share: read the whole object, work, store the result; then tell seconds and memory."""

import json
import resource
import sys
import time
from collections.abc import Callable
from urllib.request import Request, urlopen

STATUS, AMOUNT = "paid", 500


def run(work: Callable[[str, str, bytes], bytes]) -> None:
    """`work` is given the format, the pipeline and the object's bytes, and gives the result's."""
    kind, pipeline, get_url, put_url = sys.argv[1:]
    began = time.perf_counter()
    with urlopen(get_url) as answer:  # noqa: S310 - the address that the benchmark made
        content = answer.read()
    result = work(kind, pipeline, content)
    urlopen(Request(put_url, result, method="PUT")).close()  # noqa: S310 - the same
    seconds = time.perf_counter() - began
    peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": seconds, "peak_megabytes": peak_megabytes}))
