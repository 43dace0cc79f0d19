"""`otppi block`: the blocking list."""

from otppi.cli.arguments import Commands, Options
from otppi.cli.exits import Exit
from otppi.cli.output import columns, moment, show
from otppi.cli.talk import ask


def add(commands: Commands) -> None:
    """Add the commands."""
    group = commands.group("block", "Show or change the blocking list: numbers that get nothing from any modem.")
    adding = group.command("add", "Block a number.", block_add, ["otppi block add 081234567890"])
    group.command("list", "List the blocked numbers.", block_list, ["otppi block list --json"])
    removing = group.command("remove", "Unblock a number.", block_remove, ["otppi block remove 081234567890"])
    for parser in (adding, removing):
        parser.add_argument("receiver", metavar="NUMBER", help="telephone number: 0812…, 62812… or +62812…")


def block_add(options: Options) -> int:
    """Block a number."""
    answer = ask(options.data, "block_add", creates=True, receiver=options.receiver)
    was = "is blocked now" if answer["changed"] else "was blocked already"
    show(options, answer, [f"{answer['receiver']} {was}"])
    return Exit.DONE


def block_remove(options: Options) -> int:
    """Unblock a number."""
    answer = ask(options.data, "block_remove", receiver=options.receiver)
    was = "is not blocked any more" if answer["changed"] else "was not blocked"
    show(options, answer, [f"{answer['receiver']} {was}"])
    return Exit.DONE


def block_list(options: Options) -> int:
    """List the blocked numbers."""
    blocked = ask(options.data, "blocked")
    rows = [one | {"since": moment(one["since"])} for one in blocked]
    show(options, blocked, columns(rows, {"receiver": "NUMBER", "since": "SINCE", "by": "BY"}))
    return Exit.DONE
