"""The parts of the examples that decide something."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.walk import bar
from services.processor.domain.job_names import JobKey, JobRequest
from services.processor.domain.jobs import Job
from services.processor.domain.manifests import cancelled, completed, manifest_text
from services.processor.domain.outcomes import Counts, JobError
from services.processor.domain.part_results import PartResult, part_key
from services.processor.domain.plans import Plan
from tests.support.markdown import ROOT
from tests.unit.processor.jobs.test_progress import PLAN

CONTENT = b'{"n":1}\n{"n":2}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job's folder as it lies in S3."""
    job = Job(JobKey("usr_ada", "j"), JobRequest("test", {"note": "é"}), 1_000)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    plan = Plan(**{name: getattr(PLAN, name) for name in PLAN.__slots__} | {"request_sha256": job.request.fingerprint})
    key = part_key(job, plan, 0, sha256)
    result = PartResult(0, sha256, Counts(2, 2, 0, 100, len(CONTENT)))
    manifest = completed(job, plan, [result], {}, bucket="data", attempts=1, finished_at_ms=2_000)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / key.rpartition("/")[2]).write_bytes(CONTENT)
    (tmp_path / "manifest.json").write_text(manifest_text(manifest), encoding="utf-8")
    return tmp_path


def verified(folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-I", str(ROOT / "examples" / "verify_result.py"), "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - ours
    return done.returncode, done.stdout + done.stderr


def changed(folder: Path, **members: Any) -> None:  # noqa: ANN401 - of a JSON object
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | members), encoding="utf-8")


def test_a_result_is_as_its_manifest_says(folder: Path) -> None:
    assert verified(folder) == (0, "verified: every part is what its manifest says\n")


def test_a_part_that_was_changed_is_named(folder: Path) -> None:
    [part] = (folder / "data").iterdir()
    part.write_bytes(CONTENT.replace(b"2", b"3"))
    code, said = verified(folder)
    assert code == 1
    assert f"{part.name} is another object" in said


def test_a_part_that_is_too_short_or_gone_is_named(folder: Path) -> None:
    [part] = (folder / "data").iterdir()
    part.write_bytes(CONTENT[:8])
    assert "has 8 bytes, not 16" in verified(folder)[1]
    part.unlink()
    assert part.name in verified(folder)[1]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"request": {"sha256": "0", "data_source": "test", "config": {}}}, "the request is not the one"),
        ({"counts": {"bytes_out": 16, "records_out": 3}}, "have not 3 records"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_found_out(folder: Path, members: dict[str, Any], said: str) -> None:
    changed(folder, **members)
    code, text = verified(folder)
    assert code == 1
    assert said in text


def test_a_job_without_a_result_has_none_to_verify(folder: Path) -> None:
    job = Job(JobKey("usr_ada", "j"), JobRequest("test", {}), 1_000)
    text = manifest_text(cancelled(job, JobError("job-cancelled", "x"), attempts=0, finished_at_ms=2_000))
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    assert verified(folder) == (1, "the job has no result: it is cancelled\n")


@pytest.mark.parametrize(
    ("state", "done", "total", "left", "drawn"),
    [
        ("accepted", 0, None, None, "[----------]   0% accepted"),
        ("running", 60, 100, 4.2, "[######----]  60% running, 3 of 5 parts, 4.2 s left"),
        ("completed", 0, 0, 0, "[##########] 100% completed, 3 of 5 parts"),
    ],
)
def test_a_bar_shows_how_far_a_job_is(state: str, done: int, total: int | None, left: float | None, drawn: str) -> None:
    parts = {"done": 3, "total": 5 if total is not None else None}
    progress = {"bytes": {"done": done, "total": total}, "partitions": parts, "seconds_left": left}
    assert bar({"status": state, "progress": progress}, width=10).rstrip() == drawn
