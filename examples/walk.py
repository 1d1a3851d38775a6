"""The walk as a program: `python examples/walk.py`. Needs httpx (the project's .venv has it) and a running system.

It logs in, uploads a file, runs a pipeline over it, follows its progress, downloads the result, compares its SHA-256
with the manifest's, logs out, and uses the token until it is refused.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

AIRPORTS = Path(__file__).parent / "data" / "airports.csv"
PIPELINE = {
    "filter_condition": "latitude > 60",
    "transformations": [
        {"derive": {"place": "city || ', ' || state", "north": "round(latitude, 2)"}},
        {"sort": ["-north"]},
        {"select": ["iata", "place", "north"]},
    ],
    "output": {"format": "ndjson"},
}


class Mayfly:
    """A client of both services. Whatever is no success raises, with the problem's own words."""

    def __init__(self, auth_url: str, processor_url: str) -> None:
        self._auth_url, self._processor_url = auth_url, processor_url
        self._http = httpx.Client(timeout=60)

    def log_in(self, username: str, password: str) -> None:
        answer = self._send("POST", f"{self._auth_url}/api/login", json={"username": username, "password": password})
        self._http.headers["authorization"] = f"Bearer {answer['token']}"

    def log_out(self) -> None:
        self._send("POST", f"{self._auth_url}/api/logout")

    def published_bound_seconds(self) -> float:
        """No processor accepts a revoked token longer than this."""
        metadata = self._send("GET", f"{self._auth_url}/.well-known/oauth-authorization-server")
        return float(metadata["revocation_max_staleness"])

    def upload(self, path: Path) -> str:
        """The file's `data_source`."""
        place = self._send("POST", f"{self._processor_url}/api/uploads", json={"filename": path.name})
        # The URL is signed: no token goes to S3.
        httpx.put(place["url"], headers=place["headers"], content=path.read_bytes()).raise_for_status()
        data_source: str = place["data_source"]
        return data_source

    def submit(self, data_source: str, config: dict[str, Any]) -> str:
        """The job's id. Accepted means durable: from here on it comes to its end, whatever dies."""
        body = {"data_source": data_source, "config": config}
        job = self._send("POST", f"{self._processor_url}/api/process", json=body, headers={"prefer": "respond-async"})
        processing_id: str = job["processing_id"]
        return processing_id

    def progress(self, processing_id: str) -> Iterator[dict[str, Any]]:
        """The job's state, again and again until it has ended."""
        while True:
            status = self.status(processing_id, wait_seconds=0 if sys.stdout.isatty() else 2)
            yield status
            if status["status"] in {"completed", "failed", "cancelled"}:
                return
            time.sleep(0.1)

    def status(self, processing_id: str, *, wait_seconds: int = 0) -> dict[str, Any]:
        url = f"{self._processor_url}/api/status/{processing_id}"
        status: dict[str, Any] = self._send("GET", url, params={"wait": wait_seconds})["status"]
        return status

    def download(self, processing_id: str) -> bytes:
        """The result's parts in order, each compared with the manifest."""
        result = self._send(
            "GET", f"{self._processor_url}/api/results/{processing_id}", headers={"accept": "application/json"}
        )
        content = b""
        for part, link in zip(result["manifest"]["parts"], result["parts"], strict=True):
            bytes_of_part = httpx.get(link["url"]).raise_for_status().content
            if hashlib.sha256(bytes_of_part).hexdigest() != part["sha256"]:
                raise ValueError(f"{part['key']} is not what its manifest says")
            content += bytes_of_part
        return content

    def is_logged_in(self) -> bool:
        """Whether the processor still accepts the token."""
        answer = self._http.get(f"{self._processor_url}/api/process", params={"limit": 1})
        return answer.status_code != httpx.codes.UNAUTHORIZED

    def _send(self, method: str, url: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - what httpx takes
        answer = self._http.request(method, url, **request)
        if answer.is_error:
            raise RuntimeError(f"{method} {url}: {answer.status_code} {answer.json()['detail']}")
        body: dict[str, Any] = answer.json() if answer.content else {}
        return body


def bar(status: dict[str, Any], *, width: int = 30) -> str:
    """How far a job is, by the bytes that are done: `[######----]  60 % running, 3 of 5 parts, 4.2 s left`."""
    progress = status["progress"]
    done, total = progress["bytes"]["done"], progress["bytes"]["total"]
    share = 1.0 if status["status"] == "completed" else done / total if total else 0.0
    filled = int(share * width)
    parts, left = progress["partitions"], progress["seconds_left"]
    words = [status["status"]]
    if parts["total"]:
        words.append(f"{parts['done']} of {parts['total']} parts")
    if left:
        words.append(f"{left:.1f} s left")
    return f"[{'#' * filled}{'-' * (width - filled)}] {share:4.0%} {', '.join(words):40}"


def main(auth_url: str, processor_url: str) -> None:
    mayfly = Mayfly(auth_url, processor_url)
    mayfly.log_in("testuser", "testpass")
    print("logged in as testuser")
    data_source = mayfly.upload(AIRPORTS)
    print(f"uploaded {AIRPORTS.name} to {data_source}")
    processing_id = mayfly.submit(data_source, PIPELINE)
    for status in mayfly.progress(processing_id):
        # On a terminal each bar is drawn over the one before.
        print(bar(status), end="\r" if sys.stdout.isatty() else "\n", flush=True)
    print()
    if status["status"] != "completed":
        sys.exit(f"the job is {status['status']}: {status['error']['detail']}")
    lines = mayfly.download(processing_id).decode().splitlines()
    print(f"{status['input_size']} records in, {len(lines)} out; the SHA-256 is the manifest's. The first three:")
    print(*lines[:3], sep="\n")
    bound_seconds = mayfly.published_bound_seconds()
    mayfly.log_out()
    logged_out_at = time.perf_counter()
    while mayfly.is_logged_in():
        if time.perf_counter() - logged_out_at > bound_seconds:
            sys.exit("the token still works: this must not happen")
        time.sleep(0.01)
    milliseconds = (time.perf_counter() - logged_out_at) * 1000
    print(f"logged out; {milliseconds:.0f} ms later the processor refuses the token (the bound: {bound_seconds:g} s)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Walk through Mayfly: log in, upload, process, download, log out.")
    parser.add_argument("--auth", default="http://127.0.0.1:8001", metavar="URL")
    parser.add_argument("--processor", default="http://127.0.0.1:8002", metavar="URL")
    arguments = parser.parse_args()
    try:
        main(arguments.auth, arguments.processor)
    except httpx.ConnectError:
        sys.exit(f"nothing answers at {arguments.auth} or {arguments.processor}: start the system with `make run`")
    except RuntimeError as refusal:
        sys.exit(str(refusal))
