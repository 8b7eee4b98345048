"""The keeper as CloudFormation deploys it: what invokes it, and what happens when it fails."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from moto.events.models import EventPattern

from infra.paths import ROOT, TEMPLATE
from infra.synthesis.synthesize import synthesize
from infra.template import load
from recommendation_shared.settings import VARIABLES
from tests.support.lambdas.stream_event import deleted, expired, inserted, modified, stored

pytestmark = pytest.mark.one_python

WITH_ARCHIVE = {"ArchiveBucketArn": "arn:aws:s3:::opx-archive"}
DAY = 24 * 3600  # seconds
ITEM = stored()


def resources(parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the properties of what is deployed, by logical name."""
    deployed = synthesize(parameters)["Resources"]
    return {name: resource["Properties"] for name, resource in deployed.items()}


def invokes(record: Any, parameters: Mapping[str, str]) -> bool:
    """Return whether a record of the stream passes the mapping's filter."""
    filters = resources(parameters)["KeeperTable"]["FilterCriteria"]["Filters"]
    return any(EventPattern.load(each["Pattern"]).matches_event(record) for each in filters)


@pytest.mark.parametrize(
    ("record", "without_archive", "with_archive"),
    [
        pytest.param(inserted(ITEM), False, False, id="new item"),
        pytest.param(modified(ITEM, stored(reasoning="other")), True, True, id="replaced"),
        pytest.param(deleted(ITEM), True, True, id="deleted by somebody"),
        pytest.param({**deleted(ITEM), "userIdentity": None}, True, True, id="deleted by somebody, said to be nobody"),
        pytest.param(
            {**deleted(ITEM), "userIdentity": {"principalId": "another.amazonaws.com", "type": "Service"}},
            True,
            True,
            id="deleted by another service",
        ),
        pytest.param(expired(ITEM), False, True, id="removed by TTL"),
    ],
)
def test_only_changes_that_the_keeper_acts_on_invoke_it(
    record: dict[str, Any], without_archive: bool, with_archive: bool
) -> None:
    """So it costs nothing while nothing happens. EventBridge's rules decide, in moto's implementation."""
    assert invokes(record, {}) is without_archive
    assert invokes(record, WITH_ARCHIVE) is with_archive


def test_one_bad_record_neither_loses_its_batch_nor_blocks_its_shard_for_a_day() -> None:
    """It is isolated, retried for hours, and reported; a stream keeps records for a day."""
    mapping, queue = resources()["KeeperTable"], resources()["KeeperFailureQueue"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] <= 10_000
    assert 3600 <= mapping["MaximumRecordAgeInSeconds"] <= DAY / 4
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"].endswith(":opx-recommendations-keeper-failures")
    assert queue["MessageRetentionPeriod"] == 14 * DAY


def test_mapping_reads_the_tables_stream_from_its_beginning_with_both_images() -> None:
    """A change between the table's creation and the mapping's is not skipped."""
    table, mapping = resources()["Table"], resources()["KeeperTable"]
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert "/opx-agent-recommendations/stream/" in mapping["EventSourceArn"]
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


def test_keeper_runs_the_consumers_zip_with_its_own_handler() -> None:
    """One zip is built, deployed and rolled forward."""
    consumer, keeper = resources()["Consumer"], resources()["Keeper"]
    assert keeper["Handler"] == "recommendation_consumer.keeper.handler.handler"
    assert (keeper["Runtime"], keeper["Architectures"]) == (consumer["Runtime"], consumer["Architectures"])
    code = load()["Resources"]["Keeper"]["Properties"]["CodeUri"]
    assert (TEMPLATE.parent / code).resolve() == ROOT / "build" / "consumer.zip"


def test_keeper_has_the_settings_that_it_reads() -> None:
    """It never touches the table, so it does not know its name."""
    variables = resources(WITH_ARCHIVE)["Keeper"]["Environment"]["Variables"]
    ours = {name for name in variables if not name.startswith("POWERTOOLS_")}
    assert ours <= VARIABLES
    assert "RECOMMENDATIONS_TABLE" not in ours
    assert variables["RECOMMENDATIONS_ARCHIVE_BUCKET"] == WITH_ARCHIVE["ArchiveBucketArn"]
    assert resources()["Keeper"]["Environment"]["Variables"]["RECOMMENDATIONS_ARCHIVE_BUCKET"] == ""


def test_filters_are_valid_json() -> None:
    """CloudFormation passes them on as text."""
    for parameters in ({}, WITH_ARCHIVE):
        filters = resources(parameters)["KeeperTable"]["FilterCriteria"]["Filters"]
        assert [set(json.loads(each["Pattern"])) >= {"eventName"} for each in filters] == [True, True]
