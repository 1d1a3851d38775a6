"""Settings that production does not go without."""

import pytest

from services.processor.settings import ProcessorSettings
from shared.settings import SettingsError, load


def test_production_names_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="MAYFLY_BUCKET"):
        load(ProcessorSettings, mode="production", redis_url="redis://r", issuer="https://auth.example")


def test_shared_prefixes_are_a_list_with_commas() -> None:
    settings = load(ProcessorSettings, shared_source_prefixes="s3://a/x/, s3://b/,")
    assert settings.shared_prefixes == ("s3://a/x/", "s3://b/")


def test_the_record_of_a_job_outlives_its_objects() -> None:
    settings = load(ProcessorSettings, job_retention_days=30)
    assert settings.job_record_seconds > 30 * 86_400
