"""The options that commands share, and how a command receives them.

A group of options reaches a command as one frozen value, not as loose keyword arguments: `options_as` declares the
options and passes the value. The groups stack, and each one fills the next positional parameter, the lowest decorator
the first one. `click.pass_obj`, lowest of all, fills the first with the `Runtime`:

    @click.command()
    @click.argument("incident_id")
    @list_options  # -> listed
    @read_options  # -> read
    @click.pass_obj  # -> runtime
    def incident(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, incident_id: str) -> None:

mypy rejects a parameter of another type, or decorators in another order. A group's members are plain click options,
so a command that needs only some of them declares its own: `options_as(ListOptions, agents_option())`.
"""
