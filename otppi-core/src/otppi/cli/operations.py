"""`otppi operations`: the reference of operations, those of the plugins included."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.generated import TABLE
from otppi.cli.output import as_json

if TYPE_CHECKING:  # the host takes a quarter of a second to import
    from otppi.api.operations import Operation

_ABOUT = """\
What can be asked of a gateway, by the [command line](command-line.md), and by its control socket: one JSON line
`{"operation": NAME, "arguments": {…}}` for each connection, answered by `{"result": …}`, `{"error": text}` or
`{"problems": [[field, reason]]}`. Plugins bring [operations of their own](plugins.md#an-operation).

A role may do what those before it may: viewer, operator, administrator; whoever may open the control socket is an
administrator. Operations that change something wait for one another. What does not only read is told to the log: who
did it, to what, and what became of it, with none of the other arguments."""


def add(commands: Commands) -> None:
    """Add the command."""
    commands.command(
        "operations",
        "Print what can be asked of the gateway, as Markdown: by which command, with which arguments, and who may.",
        operations,
        ["otppi operations", "otppi operations --json | jq -r .[].name"],
    )


def operations(options: Options) -> int:
    """Print the reference; with `--json` the declarations, whose arguments are in JSON Schema."""
    declared = known()
    print(as_json([one.describe() for one in declared], indent=2) if options.json else reference(declared))
    return Exit.DONE


def known() -> "list[Operation]":
    """Return all operations: the gateway's own, and those of the plugins that are installed."""
    from otppi.cli import logs
    from otppi.host.core import load_plugins

    with logs.silent():
        return list(load_plugins().operations.values())


def table() -> str:
    """Write the file that the command line makes the commands of the gateway's own operations from."""
    from otppi.host.core import CORE_OPERATIONS

    return as_json([one.describe() for one in CORE_OPERATIONS if one.command], indent=1) + "\n"


def write_table() -> None:
    """Write it where the command line looks for it."""
    TABLE.write_text(table())


def reference(declared: "list[Operation]") -> str:
    """Write the reference of operations."""
    return "\n".join(["# Operations", "", _ABOUT, "", *(line for one in declared for line in _page(one))])


def _page(operation: "Operation") -> Iterator[str]:
    from otppi.api.settings.reference import prose
    from otppi.api.settings.reference import table as settings_table

    facts = [f"command `otppi {operation.command}`"] if operation.command else []
    facts.append(f"role {operation.role}")
    facts += [f"changes {operation.changes}"] if operation.changes else ["only reads"] if operation.reads_only else []
    facts += [] if operation.offline == "no" else ["also where no gateway runs"]
    yield from (
        f"## `{operation.name}`: {operation.title}",
        "",
        *(line for one in operation.help.split("\n") for line in prose(one)),
        "",
    )
    told = ", ".join(facts)
    yield from (f"{told[0].upper()}{told[1:]}.", "")
    if operation.parameters:
        yield from (*settings_table(operation.parameters, "Argument"), "")
