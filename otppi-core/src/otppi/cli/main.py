"""`otppi`: all its commands, and the way from the arguments to an exit code."""

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from types import ModuleType

import otppi
from otppi.cli import generated, language
from otppi.cli.arguments import VALUED, Commands, Parser, complete, root
from otppi.cli.exits import Exit
from otppi.cli.language import spoken
from otppi.cli.output import open_streams
from otppi.text import _
from otppi.text.languages import ENGLISH

_WORDS: dict[str, tuple[str, ...]] = {
    "run": ("run",),
    "restart": ("services",),
    "status": ("status",),
    "service": ("services",),
    "device": ("services",),
    "send": ("sending",),
    "phone": ("phone",),
    "inbox": ("inbox",),
    "modem": ("modems", "discovery"),
    "sim": (),
    "ussd": ("ussd",),
    "balance": ("ussd",),
    "usage": ("usage",),
    "route": ("usage",),
    "prices": (),
    "settings": ("settings",),
    "import": ("importing",),
    "user": ("users",),
    "admin": ("administrators",),
    "keys": ("keys",),
    "block": ("blocking",),
    "backup": ("backups",),
    "restore": ("backups",),
    "restore-undo": ("backups",),
    "update": ("updating",),
    "self-test": ("self_test",),
    "job": ("jobs",),
    "plugins": ("plugins",),
    "plugin": (),
    "internet": ("internet",),
    "network": ("network",),
    "doctor": ("doctor",),
    "certificate": ("certificate",),
    "clock": (),
    "server": ("diagnostics",),
    "log": ("log_lines",),
    "diagnostics": ("diagnostics",),
    "audit": ("audit",),
    "alarms": ("alarms",),
    "report": ("report",),
    "operations": ("operations",),
    "reset": ("resets",),
    "completion": ("completion",),
}
"""The words that commands begin with, and the modules of this package that say more of them than their operations do.

One has `OWN`, what differs from an operation, or `add`, which adds commands that are not made from one. A gateway runs
for years: it loads those of no other command.
"""
_GROUPS = {
    "inbox": _("Read, answer and delete the messages that came in to the modems."),
    "modem": _("List the modems, find new ones, take one into use, try one."),
    "service": _("List what the gateway is made of; stop a part of it, or start it again."),
    "device": _("Restart the computer that the gateway runs on, or switch it off."),
    "network": _("Show the device's network, and change it: on trial, until the change is confirmed."),
    "sim": _("Look at the lock of a modem's SIM card, or change it."),
    "settings": _("Show, change, export, import or explain the settings."),
    "admin": _("Show or change who may administer the gateway, and the code by which a new device is claimed."),
    "user": _("Show or change who may send through the API."),
    "keys": _("Show the public key that senders encrypt envelopes to, or replace it."),
    "block": _("Show or change the blocking list: numbers that get nothing from any modem."),
    "backup": _("Put all that matters into a sealed file, or look at one."),
    "reset": _("Show what can be reset and what was, or bring parts of the device back to what they were when new."),
    "job": _("List long work that goes on, show how far it is, call it off."),
    "certificate": _("Show the certificate of the pages and of the API, use another one, go one step back."),
    "clock": _("Show how the clock of the device is, set it, have time servers asked."),
    "plugin": _("Switch plugins off, or on again."),
    "alarms": _("List the alarms, show which ways they go, try a way."),
    "report": _("Show what became of messages: one by one, or in sums."),
    "prices": _("Fill in prefixes and prices of operators, as an example."),
    "internet": _("Show the modems' connections to the internet, and the access points to dial."),
}
_OF_A_PLUGIN = _("Commands that a plugin brings.")
_HELP = frozenset({"-h", "--help"})
_DESCRIPTION = _("A one-time-password gateway: HTTP request in, SMS out.")
_EXAMPLES = (
    ("otppi run --data ./gateway", _("a gateway with a simulated modem, until Ctrl-C")),
    ("otppi send 081234567890 Hello", _("send an SMS by it")),
    ("otppi doctor", _("say what is wrong, and what to do")),
)


def _epilog() -> str:
    return "\n".join(
        [
            spoken(_("exit codes:")),
            *(f"  {code.value:<4} {spoken(code.meaning)}" for code in Exit),
            "",
            spoken(_("examples:")),
            *(f"  {example:<33} {spoken(what)}" for example, what in _EXAMPLES),
        ]
    )


def parser(typed: Sequence[str] | None = (), *, listed: bool = False) -> Parser:
    """Make the parser of the whole command line.

    Plugins are loaded where their commands may be meant: where the words that were typed begin none of the gateway's
    own, or where all commands are wanted (None). Of the gateway's own, those that were not typed have no more than what
    their operations say. `listed` says that the commands are to be listed which may follow
    these words: those of plugins are, too.
    """
    top = root(otppi.__version__, spoken(_DESCRIPTION), _epilog())
    commands = Commands(top)
    table = generated.built_in()
    typed_word = typed[0] if typed and typed[0] in _WORDS else ""
    for word in _WORDS:
        modules = _modules(word) if typed_word in ("", word) else ()
        if word in _GROUPS:
            commands.group(word, _GROUPS[word])
        own = {command: own for module in modules for command, own in getattr(module, "OWN", {}).items()}
        for one in table:
            if one["command"].split(" ")[0] == word:
                generated.add(commands, one, own.get(one["command"], generated.NOTHING))
        for module in modules:
            if hasattr(module, "add"):
                module.add(commands)
    if listed and not typed and typed is not None:
        for word, distribution in generated.words_of_plugins().items():
            if not commands.has([word]):
                commands.group(word, _("Commands of the plugin {distribution}.", distribution=distribution))
    in_group = listed and typed is not None and len(typed) == 1 and typed[0] in _GROUPS
    if typed is None or in_group or (typed and not commands.has(typed)):
        for one in generated.of_plugins():
            if one["command"] and not commands.has(one["command"].split()):
                generated.add(commands, one, group=_OF_A_PLUGIN)
    return top


def _modules(word: str) -> Iterable[ModuleType]:
    return [import_module(f"{__package__}.{name}") for name in _WORDS[word]]


def _typed(arguments: Sequence[str]) -> Sequence[str] | None:
    """Return the words of the command among the arguments, at most two; None where all commands are wanted."""
    words, taken = [], False
    for one in arguments:
        if not (taken or one.startswith("-")):
            words.append(one)
        taken = one in VALUED and not taken
    return None if words[:1] == ["completion"] else words[:2]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    open_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    language.choose(arguments)
    listed = not _HELP.isdisjoint(arguments)
    options = complete(parser(_typed(arguments), listed=listed).parse_args(arguments))
    if options.json:  # scripts read it, and what they wait for does not change with who started them
        language.use(ENGLISH)
    # What follows imports the errors of the host: a command that is only asked for its --help does without.
    from otppi.cli import failures, logs

    sys.excepthook = failures.excepthook
    logs.brief()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):  # a text that the terminal cannot show must not end us
            reconfigure(errors="backslashreplace")
    return failures.guarded(lambda: int(options.handler(options)))
