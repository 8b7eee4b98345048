from typing import Any

import pytest

from recommendation_cli.summary import summarise, warnings
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import item


@pytest.mark.parametrize(
    ("fields", "headline"),
    [
        ({"reasoning": "  \n first\nsecond"}, "first"),
        ({"reasoning": "", "recommendation": {"a": {"b": "c", "none": None, "e": ""}, "n": 1, "l": [1]}}, "b: c"),
        (
            {
                "reasoning": "",
                "recommendation": {
                    "agreement_level": "STRONG",
                    "quality": {"recommended_action": "no"},
                    "unified_recommendation": {"cause": "deploy", "recommended_action": "roll back"},
                },
            },
            "recommended_action: roll back · cause: deploy · recommended_action: no · agreement_level: STRONG",
        ),
        ({"reasoning": "", "recommendation": {"n": 1}}, '{"n":1}'),
        ({"reasoning": "", "metadata": {"error": {"code": "Throttled"}}}, "code: Throttled"),
        ({"reasoning": "", "metadata": {"error": "broken"}}, "error: broken"),
    ],
)
def test_the_headline_is_reasoning_or_error_or_recommendation(fields: dict[str, Any], headline: str) -> None:
    """The first of them that exists is used."""
    assert summarise(decode_item(item(**fields))).headline == headline


def test_warnings_name_an_unusable_confidence_and_each_cut() -> None:
    """They give the confidence as the agent stated it, and the original size of what was cut."""
    confidence, cut = warnings(decode_item(item(confidence=87, reasoning="x" * 500_000)))
    assert confidence == "The agent's confidence was not a number from 0 to 1: 87"
    assert cut.startswith("Cut to fit DynamoDB's 400 KB: /reasoning, originally 500000 bytes")
    assert list(warnings(decode_item(item()))) == []


@pytest.mark.parametrize("metadata", [None, "none", {"truncated": "much"}, {"truncated": ["/reasoning"]}])
def test_metadata_written_by_hand_gives_no_warnings(metadata: Any) -> None:
    """Values of another type are ignored."""
    assert list(warnings({"recommendationId": "rec-1", "metadata": metadata})) == []
