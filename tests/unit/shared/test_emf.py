"""The beginning of an EMF line, which must reach CloudWatch whatever the function's log level is."""

import pytest

from recommendation_shared import emf

LINE: tuple[str, int, list[str], list[list[str]]] = (
    "OPX/Recommendations",
    1_769_860_800_250,
    ["RecommendationsPersisted"],
    [[]],
)


@pytest.mark.parametrize("level", ["WARN", "ERROR", "FATAL"])
def test_line_passes_a_filter_above_info(level: str) -> None:
    """Lambda would take a line without a level and an RFC 3339 timestamp for INFO, and drop the metric."""
    line = emf.beginning(*LINE, {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": level})
    assert (line["level"], line["timestamp"]) == (level, "2026-01-31T12:00:00.250+00:00")
    assert list(line) == ["_aws", "level", "timestamp"]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"},
        {"AWS_LAMBDA_LOG_FORMAT": "Text", "AWS_LAMBDA_LOG_LEVEL": "ERROR"},
        {"AWS_LAMBDA_LOG_LEVEL": "ERROR"},
    ],
)
def test_line_has_no_level_where_none_is_needed(environ: dict[str, str]) -> None:
    """A search for errors must not find metrics."""
    assert list(emf.beginning(*LINE, environ)) == ["_aws"]
