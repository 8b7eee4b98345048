"""Checks of the template's alarms, as CloudWatch describes them. A test compares the names with the template."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from recommendation_cli.doctor.checks import Described, Finding, finding
from recommendation_shared.metrics import NAMESPACE, namespace_of

ALARMS: Final = (
    "HighRecommendationPersistenceFailureRate",
    "PersistentRecommendationThrottling",
    "RecommendationDeadLetterQueueNotEmpty",
    "RecommendationDeadLettersExpiring",
    "RecommendationQueueNearRetention",
    "RecommendationsNotPersisted",
    "RecommendationConsumerErrors",
    "RecommendationConsumerNearTimeout",
    "RecommendationConsumerThrottled",
    "RecommendationsDropped",
    "RecommendationAltered",
    "RecommendationKeeperFailed",
)
_SUBJECT: Final = "alarms"
_UNDECIDED_SECONDS: Final = 3600  # CloudWatch evaluates a new alarm within minutes; the slowest of ours, every hour


def alarm_names(queue_url: str) -> list[str]:
    """Return the names of a stage's alarms; without a suffix if the queue's name does not show the stage."""
    suffix = namespace_of(queue_url).removeprefix(NAMESPACE)
    return [name + suffix for name in ALARMS]


def check_alarms(names: Sequence[str], described: Sequence[Described], now: float) -> Iterator[Finding]:
    """Check the alarms of these names (DescribeAlarms). `now` is in epoch seconds."""
    alarms = {alarm["AlarmName"]: alarm for alarm in described}
    missing = [name for name in names if name not in alarms]
    yield finding(_SUBJECT, not missing, f"all {len(names)} exist", f"missing: {_listed(missing, names)}")
    found = [alarms[name] for name in names if name in alarms]
    if not found:
        return
    mute = [alarm["AlarmName"] for alarm in found if not (alarm.get("ActionsEnabled") and alarm.get("AlarmActions"))]
    enable = f"aws cloudwatch enable-alarm-actions --alarm-names {' '.join(mute)}"
    remedy = f"Enable their actions: {enable}; one that has none needs another deployment."
    yield finding(_SUBJECT, not mute, "notify a topic", f"without actions: {_listed(mute, names)}", remedy)
    old = datetime.fromtimestamp(now - _UNDECIDED_SECONDS, UTC)
    undecided = [
        _since(alarm)
        for alarm in found
        if alarm["StateValue"] == "INSUFFICIENT_DATA" and (_changed(alarm) or old) < old
    ]
    yield finding(_SUBJECT, not undecided, "are evaluated", f"undecided: {', '.join(undecided)}")
    firing = [_since(alarm) for alarm in found if alarm["StateValue"] == "ALARM"]
    yield finding(_SUBJECT, not firing, "do not fire", ", ".join(firing), "Do what docs/runbook.md says for each.")


def _listed(some: Sequence[str], names: Sequence[str]) -> str:
    return "all" if len(some) == len(names) else ", ".join(some)


def _changed(alarm: Described) -> datetime | None:
    """Return when the state changed, which an emulator may not know."""
    changed: datetime | None = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return changed and changed.astimezone(UTC)


def _since(alarm: Described) -> str:
    changed = _changed(alarm)
    name = str(alarm["AlarmName"])
    return f"{name} since {changed:%Y-%m-%dT%H:%MZ}" if changed else name
