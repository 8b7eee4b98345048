"""Counts in words, for messages and log lines."""


def plural(count: int, singular: str, plural_form: str = "") -> str:
    """Return a count and its noun, such as `1 dead letter` or `1,200 dead letters`.

    `plural_form` is needed only where it is not the singular and an s.
    """
    return f"{count:,} {singular if count == 1 else plural_form or f'{singular}s'}"
