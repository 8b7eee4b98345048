import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.text_search.matches import matches, pattern_of
from recommendation_shared.item.agent_types import registration
from tests.support.fakes.recommendation_table import (
    IndexedDynamoDb,
    Item,
    item,
    recommendation_id,
    runtime,
)

_REASONING = "The deploy came first. Then the INDEX  subsystem lost servers! Nothing else changed."


def _run(table: list[Item], *args: str) -> Result:
    return CliRunner().invoke(recs, ["search", *args], obj=runtime(IndexedDynamoDb(table)))


def _found(result: Result) -> list[str]:
    return [json.loads(line)["recommendationId"] for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("document", "field", "sentence"),
    [
        ({"reasoning": _REASONING}, "reasoning", "Then the INDEX  subsystem lost servers!"),
        ({"recommendation": {"a": [{"b": "index\nsubsystem"}]}}, "recommendation.a.b", r"index\nsubsystem"),
        ({"citations": [{"title": "About the index subsystem"}]}, "citations.title", "About the index subsystem"),
        ({"reasoning": "index subsystem\x1b[2J"}, "reasoning", r"index subsystem\x1b[2J"),
    ],
)
def test_the_sentence_around_a_match_is_found(document: dict[str, object], field: str, sentence: str) -> None:
    """Whatever the case and white space; control characters become escapes."""
    (match,) = matches(document, pattern_of("Index subsystem"))
    assert (match.field, match.sentence) == (field, sentence)
    assert "subsystem" in match.sentence[match.start : match.end]


def test_a_sentence_without_an_end_is_cut() -> None:
    """An agent may write pages without a full stop."""
    (match,) = matches({"reasoning": "a " * 10_000 + "needle" + " b" * 10_000}, pattern_of("needle"))
    assert len(match.sentence) < 400
    assert match.sentence[match.start : match.end] == "needle"


def test_what_a_list_repeats_is_found_once() -> None:
    """Samples of a metric have one name, and saying it again tells nobody anything."""
    document = {"recommendation": {"samples": [{"metric": "index.hosts"}] * 3}}
    assert [match.sentence for match in matches(document, pattern_of("index"))] == ["index.hosts"]


def test_every_agents_texts_are_searched() -> None:
    """New agents' too; the last week unless a period is given, and what it cost is said."""
    registered = json.loads(registration("cost-guardian").body)
    recent = [item(reasoning=_REASONING), item("cost-guardian", reasoning=_REASONING), item("knowledge-rag")]
    old = item(age=timedelta(days=10), reasoning=_REASONING)
    result = _run([*recent, old, registered], "index subsystem")
    assert result.exit_code == 0
    assert result.stdout.count("Then the INDEX  subsystem lost servers!") == 2
    assert "2 recommendations found; read 3 recommendations: 0.0 read units" in result.stderr
    result = _run([*recent, old], "index subsystem", "--since", "30d", "--limit", "1", "-o", "jsonl")
    assert _found(result) == [recommendation_id(recent[0])]


def test_one_incident_can_be_searched() -> None:
    """All of it, whatever its age."""
    old = item(age=timedelta(days=40), reasoning=_REASONING)
    other = item(incident_id="incident-8", reasoning=_REASONING)
    assert _found(_run([old, other], "subsystem", "--incident", "incident-7", "-o", "jsonl")) == [
        recommendation_id(old)
    ]


def test_finding_nothing_says_what_was_read() -> None:
    """With exit code 1; an empty text is a usage error."""
    result = _run([item()], "needle")
    assert result.exit_code == 1
    assert "Nothing mentions 'needle' (read 1 recommendation: 0.0 read units" in result.stderr
    assert _run([item()], " ").exit_code == 2
