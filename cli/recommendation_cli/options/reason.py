"""Why an incident is held, released or erased, which its mark keeps."""

import click


def checked_reason(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Return a reason that a mark can keep, or None without one; raise a usage error that states the rule."""
    if value is None:
        return None
    from recommendation_shared.item.holds import reason

    try:
        return reason(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
