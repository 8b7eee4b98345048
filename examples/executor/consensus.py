"""The consensus of six hypotheses: plain arithmetic on what the agents actually answered.

- Weight: agents with status SUCCESS count with their full weight, PARTIAL with half of it. TIMEOUT and FAILURE do not
  count, whatever output they have.
- Confidence: the weighted mean of the usable confidences. A confidence outside 0 to 1 is not usable and is ignored
  rather than guessed at; the agent's opinions still count.
- Agreement: for each question, the weight behind the leading answer divided by the weight of all agents that answered
  it. The level is that of the weaker of the two questions.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from examples.executor.state import Consensus, Hypothesis
from recommendation_shared.envelope.identity import parse_instant

WEIGHTS: Final = {
    "change-intelligence": 0.25,  # most outages begin with a change
    "signal-intelligence": 0.20,  # first-hand observation
    "historical-pattern": 0.15,
    "knowledge-rag": 0.15,
    "response-strategy": 0.15,
    "risk-blast-radius": 0.10,  # says what is affected rather than why
}
OTHER_AGENT_WEIGHT: Final = 0.10
COUNTED_SHARE: Final = {"SUCCESS": 1.0, "PARTIAL": 0.5}
QUESTIONS: Final = ("suspected_cause", "recommended_action")
LEVELS: Final = ((0.8, "STRONG"), (0.6, "MODERATE"), (0.0, "WEAK"))
"""Lowest agreement for each level."""
COMPUTING_TIME: Final = timedelta(milliseconds=250)


def reach_consensus(hypotheses: Mapping[str, Hypothesis]) -> Consensus:
    """Return the consensus of the hypotheses (agent ID to output; at least one)."""
    weights = {agent: weight for agent, output in hypotheses.items() if (weight := counted_weight(output)) > 0}
    votes = {question: _votes(question, hypotheses, weights) for question in QUESTIONS}
    leading = {question: _leading(options, weights) for question, options in votes.items()}
    agreement = {question: _agreement(options, leading[question], weights) for question, options in votes.items()}
    confidences = {agent: usable_confidence(hypotheses[agent]) for agent in weights}
    return Consensus(
        aggregated_confidence=_weighted_mean(confidences, weights),
        agreement_level=_level(agreement),
        conflicts_detected=[
            {"question": question, "positions": options} for question, options in votes.items() if len(options) > 1
        ],
        unified_recommendation=_unified(hypotheses, votes, leading),
        minority_opinions=[
            {"agent_id": agent, "question": question, "answer": answer, "confidence": confidences[agent]}
            for question, options in votes.items()
            for answer, agents in options.items()
            if answer != leading[question]
            for agent in agents
        ],
        quality_metrics=_quality(hypotheses, weights, confidences, agreement),
        timestamp=_completed(hypotheses),
    )


def counted_weight(hypothesis: Hypothesis) -> float:
    """Return an agent's weight: 0 if it failed or timed out."""
    share = COUNTED_SHARE.get(hypothesis.status, 0.0)
    return WEIGHTS.get(hypothesis.agent_id, OTHER_AGENT_WEIGHT) * share


def usable_confidence(hypothesis: Hypothesis) -> float | None:
    """Return the confidence if it is from 0 to 1, else None: 87 may or may not mean 0.87."""
    confidence = hypothesis.confidence
    return confidence if confidence is not None and 0 <= confidence <= 1 else None


def _votes(
    question: str,
    hypotheses: Mapping[str, Hypothesis],
    weights: Mapping[str, float],
) -> dict[str, list[str]]:
    """Return the agents behind each answer, in an order that does not depend on which branch finished first."""
    options: defaultdict[str, list[str]] = defaultdict(list)
    for agent in sorted(weights):
        answer = hypotheses[agent].findings.get(question)
        if answer is not None:
            options[answer].append(agent)
    return dict(options)


def _leading(options: Mapping[str, list[str]], weights: Mapping[str, float]) -> str | None:
    """Return the answer with the most weight; among equals, the first by name."""
    return min(options, key=lambda answer: (-_weight_of(options[answer], weights), answer), default=None)


def _agreement(options: Mapping[str, list[str]], leading: str | None, weights: Mapping[str, float]) -> float | None:
    if leading is None:
        return None
    everybody = [agent for agents in options.values() for agent in agents]
    return round(_weight_of(options[leading], weights) / _weight_of(everybody, weights), 4)


def _weight_of(agents: list[str], weights: Mapping[str, float]) -> float:
    return round(sum(weights[agent] for agent in agents), 6)


def _weighted_mean(values: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    usable = {agent: value for agent, value in values.items() if value is not None}
    total = sum(weights[agent] for agent in usable)
    return round(sum(weights[agent] * value for agent, value in usable.items()) / total, 4) if total else None


def _level(agreement: Mapping[str, float | None]) -> str:
    answered = [share for share in agreement.values() if share is not None]
    if not answered:
        return "NONE"
    return next(level for lowest, level in LEVELS if min(answered) >= lowest)


def _unified(
    hypotheses: Mapping[str, Hypothesis],
    votes: Mapping[str, dict[str, list[str]]],
    leading: Mapping[str, str | None],
) -> dict[str, Any]:
    """Return the leading answers, with response-strategy's ordered actions if it supports the leading action."""
    cause, action = (leading[question] for question in QUESTIONS)
    backers = {question: votes[question].get(leading[question] or "", []) for question in QUESTIONS}
    strategist = "response-strategy" in backers["recommended_action"]
    return {
        "suspected_cause": cause,
        "recommended_action": action,
        "actions": hypotheses["response-strategy"].findings.get("actions", []) if strategist else [],
        "supported_by": backers,
        "advisory": True,
    }


def _quality(
    hypotheses: Mapping[str, Hypothesis],
    weights: Mapping[str, float],
    confidences: Mapping[str, float | None],
    agreement: Mapping[str, float | None],
) -> dict[str, Any]:
    return {
        "agents": len(hypotheses),
        "agents_counted": len(weights),
        "agents_not_counted": {agent: h.status for agent, h in sorted(hypotheses.items()) if agent not in weights},
        "weight_counted": _weight_of(list(weights), weights),
        "confidence_not_usable": sorted(agent for agent, value in confidences.items() if value is None),
        "agents_without_citations": sorted(agent for agent in weights if not hypotheses[agent].citations),
        "citations": sum(len(hypotheses[agent].citations or ()) for agent in weights),
        "agreement": dict(agreement),
    }


def _completed(hypotheses: Mapping[str, Hypothesis]) -> str:
    last = max(parse_instant(hypothesis.timestamp) for hypothesis in hypotheses.values())
    return (last + COMPUTING_TIME).replace(tzinfo=None).isoformat()
