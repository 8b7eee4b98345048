from recommendation_cli.report.values import value_html


def test_large_and_deep_values_are_folded() -> None:
    """A page of evidence does not hide what the agent said."""
    assert value_html({"a": {"b": {"c": {"d": 1}}}}).count("<details>") == 1
    assert "<details>" in value_html({"evidence": list(range(1_000))})
    assert value_html(["short", "words"]) == '<span dir="auto">short, words</span>'
    assert 'class="prose"' in value_html("x" * 100_000)
