"""Storing a review, the only thing that the page writes, and only with `--review`."""

import hmac
from typing import Final
from urllib.parse import parse_qsl

import click
from starlette.requests import Request
from starlette.responses import Response

from recommendation_cli.reviewing.writer import ReviewWriter
from recommendation_cli.reviews.review import TEXT_BYTES, Verdict, checked_text
from recommendation_cli.ui.links import incident_path, recommendation_path
from recommendation_cli.ui.rendering import render
from recommendation_cli.ui.responding import Page, redirect, respond_at_once
from recommendation_cli.ui.site import Site, site_behind

_PAGE: Final = Page("Review", "incidents", "/")
_MOST_BYTES: Final = 16 * TEXT_BYTES  # of a form: three texts, whose bytes are escaped by up to three each
_REFUSED: Final = 403


async def review(request: Request) -> Response:
    """Store a review, and show what it is about."""
    site = site_behind(request)
    if not site.may_review:
        return _refusal(site, "This page only reads: start recs ui with --review to write reviews.")
    fields = await _fields(request)
    # Besides the Origin header, which the guard has checked.
    if not hmac.compare_digest(fields.get("key", "").encode(), site.access.form_key.encode()):
        return _refusal(site, "This form is not of this run of recs ui: go back, reload the page and send it again.")
    return await redirect(site, _PAGE, lambda: _write(site, fields))


async def _fields(request: Request) -> dict[str, str]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            return {}
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _write(site: Site, fields: dict[str, str]) -> str:
    """Store the review; return the address of what it is about. Raises click's exceptions."""
    texts: dict[str, str] = {}
    for name in ("root-cause", "resolved-by", "note"):
        try:
            texts[name] = checked_text(fields.get(name, "").replace("\r\n", "\n"))
        except ValueError as error:
            raise click.UsageError(f"The {name.replace('-', ' ')} {error}.") from None
    writer = ReviewWriter(site.runtime, site.table)
    if "incident" in fields:
        incident_id = fields["incident"]
        writer.of_incident(
            incident_id, root_cause=texts["root-cause"], resolved_by=texts["resolved-by"], note=texts["note"]
        )
        return incident_path(incident_id)
    if fields.get("verdict") not in list(Verdict):
        raise click.UsageError("Say what the recommendation was worth.")
    identity = fields.get("recommendation", "")
    writer.of_recommendation(identity, Verdict(fields["verdict"]), texts["note"] or None)
    return recommendation_path(identity)


def _refusal(site: Site, text: str) -> Response:
    content = render("problem.html", heading="Nothing was stored", lines=[text])
    return respond_at_once(site, _PAGE, content, _REFUSED)
