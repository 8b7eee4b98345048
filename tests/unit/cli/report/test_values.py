from recommendation_cli.report.values import Folding


def test_large_and_deep_values_are_folded() -> None:
    """A page of evidence does not hide what the agent said."""
    assert Folding().value({"a": {"b": {"c": {"d": 1}}}}).count("<details>") == 1
    assert "<details>" in Folding().value({"evidence": list(range(1_000))})
    assert Folding().value(["short", "words"]) == '<span dir="auto">short, words</span>'
    assert 'class="prose"' in Folding().value("x" * 100_000)
