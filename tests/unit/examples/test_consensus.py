"""The example executor's consensus, checked against calculations by hand."""

from typing import Any

import pytest

from examples.executor.consensus import WEIGHTS, reach_consensus
from examples.executor.state import Hypothesis


def hypothesis(agent_id: str, confidence: float | None = 0.8, status: str = "SUCCESS", **findings: Any) -> Hypothesis:
    """Return a small output; `findings` has the answers to the two questions."""
    return Hypothesis(
        agent_id=agent_id,
        agent_version="1",
        execution_id="exec-1",
        timestamp="2026-01-31T12:00:00",
        duration=1,
        status=status,
        confidence=confidence,
        reasoning="",
        findings=findings,
        citations=[{"id": "a"}],
        cost={},
    )


def together(*hypotheses: Hypothesis) -> dict[str, Hypothesis]:
    """Return the hypotheses by agent ID."""
    return {each.agent_id: each for each in hypotheses}


def test_weights_sum_to_one() -> None:
    """A weight can therefore be read as a share."""
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_confidence_is_the_weighted_mean() -> None:
    """(0.25 * 0.9 + 0.20 * 0.6) / 0.45 = 0.7667."""
    consensus = reach_consensus(
        together(hypothesis("change-intelligence", 0.9), hypothesis("signal-intelligence", 0.6)),
    )
    assert consensus.aggregated_confidence == 0.7667


def test_partial_agent_counts_half() -> None:
    """(0.25 * 0.9 + 0.10 * 0.6) / 0.35 = 0.8143."""
    consensus = reach_consensus(
        together(hypothesis("change-intelligence", 0.9), hypothesis("signal-intelligence", 0.6, "PARTIAL")),
    )
    assert consensus.aggregated_confidence == 0.8143
    assert consensus.quality_metrics["weight_counted"] == 0.35


@pytest.mark.parametrize("status", ["FAILURE", "TIMEOUT"])
def test_failed_agent_does_not_count(status: str) -> None:
    """Neither its confidence nor its opinion counts, even if it has both."""
    consensus = reach_consensus(
        together(
            hypothesis("knowledge-rag", 0.5, suspected_cause="disk"),
            hypothesis("change-intelligence", 0.99, status, suspected_cause="deploy"),
        ),
    )
    assert consensus.aggregated_confidence == 0.5
    assert consensus.conflicts_detected == []
    assert consensus.unified_recommendation["suspected_cause"] == "disk"
    assert consensus.quality_metrics["agents_not_counted"] == {"change-intelligence": status}


@pytest.mark.parametrize("odd", [87, -0.1, 1.01, float("nan"), None])
def test_unusable_confidence_is_ignored_and_the_opinion_counts(odd: float | None) -> None:
    """87 may or may not mean 0.87."""
    consensus = reach_consensus(
        together(
            hypothesis("historical-pattern", odd, suspected_cause="deploy"),
            hypothesis("knowledge-rag", 0.4, suspected_cause="deploy"),
        ),
    )
    assert consensus.aggregated_confidence == 0.4
    assert consensus.quality_metrics["confidence_not_usable"] == ["historical-pattern"]
    assert consensus.unified_recommendation["supported_by"]["suspected_cause"] == [
        "historical-pattern",
        "knowledge-rag",
    ]


def test_leading_answer_has_the_most_weight_rather_than_the_most_votes() -> None:
    """0.25 + 0.20 for the deploy against 0.15 + 0.15 + 0.10 for the disk: 0.45 / 0.85 = 0.5294."""
    consensus = reach_consensus(
        together(
            hypothesis("change-intelligence", suspected_cause="deploy"),
            hypothesis("signal-intelligence", suspected_cause="deploy"),
            hypothesis("historical-pattern", 0.3, suspected_cause="disk"),
            hypothesis("knowledge-rag", suspected_cause="disk"),
            hypothesis("risk-blast-radius", suspected_cause="disk"),
        ),
    )
    assert consensus.unified_recommendation["suspected_cause"] == "deploy"
    assert consensus.quality_metrics["agreement"]["suspected_cause"] == 0.5294
    assert consensus.agreement_level == "WEAK"
    assert consensus.conflicts_detected == [
        {
            "question": "suspected_cause",
            "positions": {
                "deploy": ["change-intelligence", "signal-intelligence"],
                "disk": ["historical-pattern", "knowledge-rag", "risk-blast-radius"],
            },
        },
    ]
    assert [opinion["agent_id"] for opinion in consensus.minority_opinions] == [
        "historical-pattern",
        "knowledge-rag",
        "risk-blast-radius",
    ]
    assert consensus.minority_opinions[0] == {
        "agent_id": "historical-pattern",
        "question": "suspected_cause",
        "answer": "disk",
        "confidence": 0.3,
    }


@pytest.mark.parametrize(
    ("dissenter", "level"),
    [
        ("historical-pattern", "MODERATE"),  # 0.45 / 0.60 = 0.75
        ("risk-blast-radius", "STRONG"),  # 0.45 / 0.55 = 0.82
    ],
)
def test_level_follows_the_weight_behind_the_leading_answer(dissenter: str, level: str) -> None:
    """It is moderate from 0.6 and strong from 0.8."""
    consensus = reach_consensus(
        together(
            hypothesis("change-intelligence", suspected_cause="deploy"),
            hypothesis("signal-intelligence", suspected_cause="deploy"),
            hypothesis(dissenter, suspected_cause="disk"),
        ),
    )
    assert consensus.agreement_level == level


def test_level_follows_the_weaker_question() -> None:
    """Agents that agree on the cause but not on the action do not agree."""
    consensus = reach_consensus(
        together(
            hypothesis("knowledge-rag", suspected_cause="deploy", recommended_action="roll-back"),
            hypothesis("historical-pattern", suspected_cause="deploy", recommended_action="restart"),
        ),
    )
    assert consensus.quality_metrics["agreement"] == {"suspected_cause": 1.0, "recommended_action": 0.5}
    assert consensus.agreement_level == "WEAK"
    assert consensus.unified_recommendation["recommended_action"] == "restart", "among equals, the first by name"


def test_order_in_which_branches_finish_makes_no_difference() -> None:
    """Parallel branches fill the dict of hypotheses."""
    hypotheses = together(
        hypothesis("knowledge-rag", suspected_cause="deploy"),
        hypothesis("historical-pattern", suspected_cause="disk"),
    )
    assert reach_consensus(hypotheses) == reach_consensus(dict(reversed(hypotheses.items())))


def test_actions_are_adopted_only_if_the_strategy_supports_the_leading_action() -> None:
    """Steps towards another goal would contradict the recommendation."""
    steps = [{"order": 1, "action": "restart the cache"}]
    dissenting = hypothesis("response-strategy", recommended_action="restart", actions=steps)
    alone = reach_consensus(together(dissenting))
    outvoted = reach_consensus(
        together(
            dissenting,
            hypothesis("knowledge-rag", recommended_action="roll-back"),
            hypothesis("historical-pattern", recommended_action="roll-back"),
        ),
    )
    assert alone.unified_recommendation["actions"] == steps
    assert outvoted.unified_recommendation["actions"] == []


def test_consensus_without_any_counting_agent_says_so() -> None:
    """If all agents failed, there is no confidence and no recommendation, but still a record."""
    consensus = reach_consensus(together(hypothesis("knowledge-rag", None, "TIMEOUT")))
    assert consensus.aggregated_confidence is None
    assert consensus.agreement_level == "NONE"
    assert consensus.unified_recommendation["recommended_action"] is None


def test_consensus_completes_after_the_last_agent_whatever_the_offset() -> None:
    """12:30 at +01:00 is before 12:00 UTC."""
    early = hypothesis("knowledge-rag")
    late = Hypothesis(**{**_fields(early), "agent_id": "historical-pattern", "timestamp": "2026-01-31T12:30:00+01:00"})
    assert reach_consensus(together(early, late)).timestamp == "2026-01-31T12:00:00.250000"


def _fields(value: Hypothesis) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
