"""Verifies a result against its manifest, with the standard library alone: you need not trust who gave it to you.

    python examples/verify_result.py JOB --token "$TOKEN"      fetches manifest and parts from the processor
    python examples/verify_result.py --folder jobs/…/JOB       reads a copy of the job's folder, as `aws s3 cp` makes it

It ends with 0 if all is as the manifest says, else with 1 and a line for each thing that is not.
"""

import argparse
import hashlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Pieces = Iterator[bytes]
OF_NULL = "__HIVE_DEFAULT_PARTITION__"
_PIECE_BYTES = 1024 * 1024


def differences(manifest: dict[str, Any], pieces_of: Callable[[int], Pieces]) -> Iterator[str]:
    """What is not as the manifest says. `pieces_of` gives the bytes of a part, which may be larger than memory."""
    if manifest["status"] != "completed":
        yield f"the job has no result: it is {manifest['status']}"
        return
    asked, counts, parts = manifest["request"], manifest["counts"], manifest["parts"]
    text = json.dumps(
        {"data_source": asked["data_source"], "config": asked["config"]},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    if not hashlib.sha256(text.encode()).hexdigest() == asked["sha256"] == manifest["plan"]["request_sha256"]:
        yield "the request is not the one that was planned"
    for count, member in (("bytes_out", "bytes"), ("records_out", "records")):
        if counts[count] != sum(part[member] for part in parts):
            yield f"the parts have not {counts[count]} {member} together"
    for number, part in enumerate(parts):
        if not _lies_where_it_says(part):
            yield f"{part['key']} is not the place of {part['partition']}"
        digest, size = hashlib.sha256(), 0
        for piece in pieces_of(number):
            digest.update(piece)
            size += len(piece)
        if size != part["bytes"]:
            yield f"{part['key']} has {size} bytes, not {part['bytes']}"
        if digest.hexdigest() != part["sha256"] or part["sha256"] not in part["key"]:
            yield f"{part['key']} is another object: its SHA-256 is {digest.hexdigest()}"


def _lies_where_it_says(part: dict[str, Any]) -> bool:
    """Of a result that is split: `day=2026-11-23/` in the key, percent-encoded, is the value of `day`."""
    found = [folder.partition("=") for folder in part["key"].split("/")[4:-1]]
    values = {unquote(name): None if value == OF_NULL else unquote(value) for name, _, value in found}
    said: dict[str, str | None] = part.get("partition", {})
    return values == said


def from_folder(folder: Path) -> Iterator[str]:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    def pieces_of(number: int) -> Pieces:
        path = folder / manifest["parts"][number]["key"].split("/", 3)[3]  # behind jobs/OWNER/JOB/
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_PIECE_BYTES), b"")

    return differences(manifest, pieces_of)


def from_processor(url: str, processing_id: str, token: str) -> Iterator[str]:
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    asked = urllib.request.Request(f"{url}/api/results/{processing_id}", headers=headers)  # noqa: S310 - the user's own URL
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        result = json.load(answer)

    def pieces_of(number: int) -> Pieces:
        # The link is signed: no token goes to S3.
        with urllib.request.urlopen(result["parts"][number]["url"]) as part:  # noqa: S310
            yield from iter(lambda: part.read(_PIECE_BYTES), b"")

    return differences(result["manifest"], pieces_of)


def main() -> None:
    parser = argparse.ArgumentParser(description="Verify a result against its manifest.")
    parser.add_argument("job", nargs="?", help="its processing_id")
    parser.add_argument("--token", default="", help="an access token of its owner")
    parser.add_argument("--processor", default="http://127.0.0.1:8002", metavar="URL")
    parser.add_argument("--folder", type=Path, help="a copy of the job's folder, instead")
    arguments = parser.parse_args()
    if (arguments.job is None) == (arguments.folder is None):
        parser.error("name a job, or a folder")
    try:
        if arguments.folder:
            found = list(from_folder(arguments.folder))
        else:
            found = list(from_processor(arguments.processor, arguments.job, arguments.token))
    except urllib.error.HTTPError as refusal:
        sys.exit(f"{refusal.url}: {refusal.code} {refusal.read(1000).decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"can't be read: {error}")
    if found:
        sys.exit("\n".join(found))
    print("verified: every part is what its manifest says")


if __name__ == "__main__":
    main()
