import pytest

from recommendation_cli.report.markup import element, fragment, link


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://example.com/a?b=c&d=é", True),
        ("http://example.com", True),
        ("HTTPS://EXAMPLE.COM", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("file:///etc/passwd", False),
        ("//example.com", False),
        ("https:evil", False),
        ("https://exam\u202eple.com", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_only_web_addresses_are_links(address: str, linked: bool) -> None:
    """The linked site learns nothing about the page."""
    html = link(address, "text")
    assert html.startswith("<a ") == linked
    if linked:
        assert 'rel="noopener noreferrer"' in html


def test_text_is_escaped_and_markup_is_not() -> None:
    """Markup nests without being escaped twice."""
    inner = element("b", "<&>\"'")
    assert inner == "<b>&lt;&amp;&gt;&quot;&#x27;</b>"
    assert element("p", inner, ["<", ("i", inner)], class_='"x"', data_y=None) == (
        f'<p class="&quot;x&quot;">{inner}&lt;i{inner}</p>'
    )
    assert fragment("\u202e") == r"\u202e"
