"""What a run may put on the disk, and a disk that is full."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from services.processor.domain.formats import Compression
from services.processor.domain.packing import packed
from services.processor.domain.pipeline_errors import RecordError, WorkFolderFull
from services.processor.engine.session import full_disk_named
from tests.unit.processor.engine.conftest import MIB, Engine

NewEngine = Callable[..., Engine]
LINE = b'{"a":"' + b"x" * 990 + b'"}\n'


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_bomb_is_stopped_while_it_is_unpacked(new_engine: NewEngine, compression: Compression) -> None:
    bomb = packed(LINE * 60_000, compression)
    message = r"^bomb\.ndjson: unpacked it takes more than 3 MiB, .* or have MAYFLY_ENGINE_MAX_PLAIN_MB raised$"
    with pytest.raises(RecordError, match=message):
        new_engine(max_plain_bytes=3 * MIB, sample_bytes=1000).run({"bomb.ndjson": bomb})


def test_several_objects_share_what_may_be_unpacked(new_engine: NewEngine) -> None:
    content = packed(LINE * 600, "gzip")
    engine = new_engine(max_plain_bytes=MIB)
    assert engine.run({"a.ndjson.gz": content}).result.records_in == 600
    with pytest.raises(RecordError, match=r"^b\.ndjson\.gz: unpacked it takes more than 1 MiB"):
        engine.run({"a.ndjson.gz": content, "b.ndjson.gz": content})


@pytest.mark.parametrize("config", [{}, {"filter_condition": "a IS NULL", "output": {"format": "csv"}}], ids=range(2))
def test_a_disk_that_is_full_is_named(engine: Engine, config: object) -> None:
    """Once the engine writes, once we do, for no record is left."""
    with pytest.raises(WorkFolderFull, match="disk is full; split the input, or have MAYFLY_WORK_DIR moved"):
        engine.run({"a.ndjson": LINE * 3000}, config, output_path=Path("/dev/full"))


def test_what_else_fails_on_a_disk_stays_as_it_is() -> None:
    with pytest.raises(OSError, match="x") as caught, full_disk_named():
        raise OSError(errno.EACCES, "x")
    assert caught.value.errno == errno.EACCES
