import math
from dataclasses import replace
from typing import Any

import pytest

from infra.local.deployment import load_template
from infra.paths import ROOT
from recommendation_cli.cost.bill import ALARM_METRICS, LOG_DAYS, MEMORY_MB, PROD_ONLY, Line, bill
from recommendation_cli.cost.prices import Prices
from recommendation_cli.cost.profile import Profile, billed_requests
from recommendation_cli.cost.workload import Workload
from recommendation_shared.settings import IncidentMetrics

MONTH = Workload(1_000)
INCIDENT_OFF: tuple[IncidentMetrics, ...] = ("property", "none")


def _lines(work: Workload) -> dict[str, Line]:
    return {line.what: line for line in bill(work, Profile.shipped(), Prices.shipped())}


@pytest.mark.parametrize("row", Profile.shipped().rows, ids=lambda row: str(row["envelope_bytes"]))
def test_computed_usage_equals_measured_usage(row: dict[str, Any]) -> None:
    """Requests per 64 KB and write units per 1 KB come out as measured, at every measured size."""
    work = Workload(1, size=row["envelope_bytes"])
    assert billed_requests(7, work.size) == row["send_requests"]
    lines = _lines(work)
    assert lines["writes to the table"].quantity == pytest.approx(row["table_write_units"])
    assert lines["writes to 3 indexes"].quantity == pytest.approx(row["index_write_units"])
    assert _lines(replace(work, compact=True))["writes to 3 indexes"].quantity == pytest.approx(21)
    assert lines["delete"].quantity == row["delete_requests"]


def test_idle_pollers_cost_the_same_whatever_arrives() -> None:
    """Five pollers run long polls of 20 s all month."""
    line = _lines(MONTH)["empty receives of 5 idle pollers"]
    assert line.quantity == 5 * 730 * 3600 / 20
    assert line.usd == pytest.approx(657_000 * 0.40 / 1e6)
    assert line == _lines(Workload(1))["empty receives of 5 idle pollers"]


def test_keeper_costs_nothing_however_much_is_stored() -> None:
    """Nothing but a change of a stored item invokes it."""
    for incidents in (1, 1_000_000):
        line = _lines(Workload(incidents))["keeper, while nobody changes an item"]
        assert (line.service, line.quantity, line.usd) == ("Lambda", 0, 0)


def test_storage_grows_with_the_retention_and_counts_each_index_entry() -> None:
    """Each item and each index entry takes 100 bytes more; recovery counts only the table."""
    lines, usage = _lines(replace(MONTH, days_kept=365)), Profile.shipped().recommendation(MONTH.size)
    kept = 7_000 * 12
    assert lines["storage of items, 365 days"].quantity == pytest.approx(kept * (usage.item_bytes + 100) / 1e9)
    assert lines["storage of indexes, 365 days"].quantity == pytest.approx(3 * kept * (usage.item_bytes + 100) / 1e9)
    assert lines["point-in-time recovery"].quantity == lines["storage of items, 365 days"].quantity
    assert lines["deletes by TTL"].usd == 0


def test_reviews_are_billed_for_their_table_index_and_a_year_of_storage() -> None:
    """Two of each incident; one unit of writing each in the table and its index, and one of reading at each list."""
    lines = _lines(MONTH)
    assert lines["reviews, written with their index"].quantity == 1_000 * 2 * 2
    assert lines["reviews, looked for at each read"].quantity == MONTH.reads
    assert lines["reviews, a year of them stored"].quantity == pytest.approx(2 * 24_000 * 700 / 1e9)
    none = _lines(replace(MONTH, reviews=0))
    assert none["reviews, written with their index"].usd == none["reviews, a year of them stored"].usd == 0


def test_incident_metrics_are_billed_for_an_hour_each_and_are_optional() -> None:
    """There is one metric for each agent of each incident."""
    line = _lines(MONTH)["metrics by incident, an hour each"]
    assert line.quantity == 7_000
    assert line.usd == pytest.approx(7_000 * 0.30 / 730)
    for other in INCIDENT_OFF:
        assert _lines(replace(MONTH, incident_metrics=other))["metrics by incident, an hour each"].usd == 0


def test_incident_as_a_property_leaves_only_the_totals_to_bill() -> None:
    """Two metrics in the hours that have an incident: how many were stored, and how long that took."""
    usual, logged, without = (
        _lines(replace(MONTH, incident_metrics=each))["metrics"] for each in ("dimension", *INCIDENT_OFF)
    )
    hours = 730 * (1 - math.exp(-1_000 / 730))
    assert usual.quantity == logged.quantity == pytest.approx(2 * hours)
    assert without.quantity == pytest.approx((2 + 7) * hours)  # by agent


def test_free_allowances_are_shared_by_the_lines_they_cover() -> None:
    """Ten metrics for a month are free, by the hour, and a line pays for what the others left."""
    lines = _lines(MONTH)
    metrics = [lines["metrics"], lines["metrics by incident, an hour each"]]
    billed = sum(line.quantity for line in metrics) - 10 * 730
    assert sum(line.usd_beyond_free_tier for line in metrics) == pytest.approx(billed * 0.30 / 730)
    assert metrics[0].usd_beyond_free_tier == 0
    assert lines["alarms"].usd_beyond_free_tier == pytest.approx((ALARM_METRICS - 10) * 0.10)
    free = {"send", "receive", "delete", "time", "invocations", "dashboard", "logs ingested"}
    assert {lines[what].usd_beyond_free_tier for what in free} == {0}
    for what in ("writes to the table", "writes to 3 indexes", "reads", "point-in-time recovery"):
        assert lines[what].usd_beyond_free_tier == lines[what].usd > 0


def test_a_busy_account_pays_beyond_its_allowances() -> None:
    """A hundred million incidents use each of them up many times over."""
    lines = _lines(Workload(100_000_000))
    for what in ("send", "time", "invocations", "storage of items, 90 days", "logs ingested"):
        assert 0.9 < lines[what].usd_beyond_free_tier / lines[what].usd < 1 or what != "send"
        assert 0 < lines[what].usd_beyond_free_tier <= lines[what].usd


def test_only_production_has_a_dashboard() -> None:
    """The template's condition."""
    for stage, quantity in (("dev", 0), ("staging", 0), ("prod", 1)):
        assert _lines(replace(MONTH, stage=stage))["dashboard"].quantity == quantity


def test_a_month_with_everything_on_costs_less_than_a_dollar_past_the_free_tier() -> None:
    """With each incident a metric, every alarm and the dashboard, for a thousand incidents."""
    assert sum(line.usd_beyond_free_tier for line in bill(MONTH, Profile.shipped(), Prices.shipped())) < 1


def test_compact_indexes_cost_less_to_write_and_more_to_read() -> None:
    """A compact entry is one write unit; reading whole items takes the index and the table."""
    whole, compact = _lines(MONTH), _lines(replace(MONTH, compact=True))
    assert compact["writes to 3 indexes"].quantity == 3 * 7_000
    assert whole["writes to 3 indexes"].quantity == 15 * 7_000
    assert compact["reads"].usd > whole["reads"].usd


def test_only_rare_invocations_pay_for_cold_starts() -> None:
    """With frequent incidents the sandbox stays warm."""
    rare, frequent = _lines(MONTH)["time"], _lines(Workload(100_000))["time"]
    assert rare.quantity / 1_000 > 5 * frequent.quantity / 100_000


def test_a_customer_managed_key_adds_the_kms_lines() -> None:
    """Without one there are no KMS lines."""
    assert {line.service for line in _lines(replace(MONTH, kms=True)).values()} - {
        line.service for line in _lines(MONTH).values()
    } == {"KMS"}


def test_one_page_for_all_losses_costs_half_a_dollar() -> None:
    """No composite alarm is free, so beyond the free tier it costs the same."""
    each, once = _lines(MONTH), _lines(replace(MONTH, pager_composite=True))
    composite = once["composite alarm"]
    assert composite.usd == composite.usd_beyond_free_tier == 0.50
    assert once == {**each, "composite alarm": composite}


def test_assumptions_about_the_template_match_it() -> None:
    """Memory, log retention, alarms and dashboard are counted as deployed."""
    template = load_template(ROOT / "infra" / "template.yaml", {})
    parameters, resources = template["Parameters"], template["Resources"].values()
    assert parameters["MemorySize"]["Default"] == MEMORY_MB
    assert parameters["LogRetentionDays"]["Default"] == LOG_DAYS
    alarms = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = [sum("MetricStat" in query for query in alarm.get("Metrics", [])) or 1 for alarm in alarms]
    assert sum(metrics) == ALARM_METRICS
    assert sum(resource["Type"] == "AWS::CloudWatch::Dashboard" for resource in resources) == PROD_ONLY
    composites = [each["Condition"] for each in resources if each["Type"] == "AWS::CloudWatch::CompositeAlarm"]
    assert composites == ["PagesOnce"]
    assert template["Conditions"]["PagesOnce"] == {"Fn::Equals": [{"Ref": "PagerComposite"}, "true"]}
    assert parameters["PagerComposite"]["Default"] == str(MONTH.pager_composite).lower()
