"""Reviews on the page: what people said, and the form in which to say more."""

from collections.abc import Sequence

from recommendation_cli.report.markup import Html
from recommendation_cli.reviews.beside import ReviewsBeside
from recommendation_cli.reviews.review import Review, Verdict
from recommendation_cli.reviews.view import author, said
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.site import Site


def reviews_beside(site: Site) -> ReviewsBeside:
    """Return the reviews of the site's table."""
    return ReviewsBeside(site.client(), site.table.reviews_target(site.runtime), now=site.expired_by())


def reviews_html(site: Site, reviews: ReviewsBeside, history: Sequence[Review], **subject: str) -> Html:
    """Return what people said, the latest first, and the form if the page may review.

    `subject` is what the form sends to say what it is about: `incident`, or `recommendation`.
    """
    shown = [(author(review), list(said(review))) for review in reversed(history)]
    return render(
        "reviews.html",
        reviews=shown,
        note=reviews.note,
        subject=subject,
        is_incident="incident" in subject,
        last=history[-1] if history else None,
        verdicts=list(Verdict),
        form_key=site.access.form_key if site.may_review else "",
    )
