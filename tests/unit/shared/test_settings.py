"""Settings from environment variables, and errors that name the variable."""

import pytest

from recommendation_shared.settings import Settings, SettingsError, reviews_table_of


def test_defaults_are_those_of_the_contract() -> None:
    """A reader of the table needs no variable at all."""
    settings = Settings.from_env({})
    assert settings.table_name == "opx-agent-recommendations"
    assert settings.retention_days == 90
    assert settings.incident_metrics == "dimension"
    assert settings.queue_url is None


def test_every_variable_is_read() -> None:
    """Text is converted to the type of the field."""
    settings = Settings.from_env(
        {
            "RECOMMENDATIONS_QUEUE_URL": "http://127.0.0.1/1/q",
            "RECOMMENDATIONS_DLQ_URL": "http://127.0.0.1/1/d",
            "RECOMMENDATIONS_TABLE": "other",
            "RECOMMENDATIONS_REVIEWS_TABLE": "others",
            "RETENTION_DAYS": "30",
            "INCIDENT_METRICS": "false",
            "AWS_REGION": "eu-central-1",
            "RECOMMENDATIONS_METRICS_NAMESPACE": "OPX/Recommendations-dev",
        }
    )
    assert settings.require_queue_url() == "http://127.0.0.1/1/q"
    assert settings.require_dlq_url() == "http://127.0.0.1/1/d"
    assert settings.region == "eu-central-1"
    assert settings.metrics_namespace == "OPX/Recommendations-dev"
    assert settings.reviews_table_name == "others"
    assert (settings.table_name, settings.retention_days, settings.incident_metrics) == ("other", 30, "none")


@pytest.mark.parametrize(
    ("table", "reviews"),
    [
        ("opx-agent-recommendations", "opx-recommendation-reviews"),
        ("opx-agent-recommendations-staging", "opx-recommendation-reviews-staging"),
        ("restored", "opx-recommendation-reviews"),
    ],
)
def test_the_reviews_table_has_the_suffix_of_the_table(table: str, reviews: str) -> None:
    """The reviews of one stage are never shown beside the recommendations of another."""
    assert reviews_table_of(table) == reviews


@pytest.mark.parametrize(
    ("text", "meaning"), [("true", "dimension"), ("1", "dimension"), ("Property", "property"), ("off", "none")]
)
def test_incident_metrics_may_be_a_dimension_a_property_or_neither(text: str, meaning: str) -> None:
    """True and false mean what they meant before there was a third choice."""
    assert Settings.from_env({"INCIDENT_METRICS": text}).incident_metrics == meaning


def test_empty_variable_counts_as_unset() -> None:
    """Templates often pass an empty string for "none"."""
    assert Settings.from_env({"RETENTION_DAYS": "", "RECOMMENDATIONS_TABLE": ""}) == Settings.from_env({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAYS", "soon"),
        ("RECOMMENDATIONS_TABLE", "a b"),
        ("INCIDENT_METRICS", "2"),
        ("RECOMMENDATIONS_METRICS_NAMESPACE", "AWS/SQS"),
        ("RECOMMENDATIONS_METRICS_NAMESPACE", ":a"),
        ("RECOMMENDATIONS_METRICS_NAMESPACE", "a" * 256),
    ],
)
def test_error_names_the_invalid_variable_and_its_rule(name: str, value: str) -> None:
    """It does not quote the value, because a variable may hold a secret by mistake."""
    with pytest.raises(SettingsError, match=f"^{name}: .+; correct or unset this variable$"):
        Settings.from_env({name: value})


def test_error_for_a_missing_url_says_what_to_do() -> None:
    """A URL must be set only where it is required."""
    with pytest.raises(SettingsError, match="RECOMMENDATIONS_QUEUE_URL is not set: set it to"):
        Settings.from_env({}).require_queue_url()
    with pytest.raises(SettingsError, match="RECOMMENDATIONS_DLQ_URL is not set: set it to"):
        Settings.from_env({}).require_dlq_url()
