"""The operations on the settings: show, change, export, import."""

from collections.abc import Callable, Mapping
from typing import Any

from otppi.api.errors import InvalidSettings, NotPermitted
from otppi.api.operations import Offline, Operation
from otppi.api.settings import Kind, Section, Setting, boolean, text
from otppi.host.runtime.registry import COMMAND_LINE, SETTINGS, HostCall
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.host.settings.differences import changed_fields
from otppi.text import _
from otppi.wire.errors import FieldError


def _show(call: HostCall) -> dict[str, Any]:
    """Return all settings for the eyes of a person: asterisks where a secret is set."""
    config = call.part(Config)
    return {
        key: section.redact(config.one(key))
        if section.identity is None
        else [config.section_of(section, item).redact(item) for item in config.many(key)]
        for key, section in config.sections.items()
    }


def _revision(call: HostCall) -> int:
    return call.part(Config).revision


def _problems(call: HostCall) -> list[str]:
    return [str(problem) for problem in call.part(Config).problems]


def _export(call: HostCall, secrets: bool) -> dict[str, Any]:
    """Return the settings as a document; with secrets only to whoever may read the data folder anyhow.

    Raises:
        NotPermitted: Somebody asks for secrets from elsewhere: no page and no API shows one that is kept.
    """
    if secrets and call.actor.origin != COMMAND_LINE.origin:
        raise NotPermitted(_("secrets are exported by the command line only: otppi settings export --secrets"))
    return call.part(Config).export(secrets=secrets)


def _import(call: HostCall, document: object) -> list[str]:
    return _update(call, document)


def _update(call: HostCall, document: object) -> list[str]:
    if isinstance(document, Mapping) and any(_is_closed(call, str(key)) for key in document):
        config = call.part(Config)
        for key, values in config.check(document).items():
            if values != config.values_of(key):
                _check_closed(call, key)
    return _told(call, lambda changes: changes.update(document, call.revision))


def _is_closed(call: HostCall, section: str) -> bool:
    """Whether a section has operations of its own, and this is not the command line, by which all can be mended."""
    declared = call.part(Config).sections.get(section)
    return declared is not None and declared.own_operations and call.actor.origin != COMMAND_LINE.origin


def _check_closed(call: HostCall, section: str) -> None:
    if _is_closed(call, section):
        raise NotPermitted(_("{section} is changed by operations of its own only", section=section))


def _told(call: HostCall, change: Callable[[SettingsChanges], list[str]]) -> list[str]:
    """Make a change, and tell the audit which settings it changed."""
    config = call.part(Config)
    before = {key: config.values_of(key) for key in config.sections}
    changed = change(call.part(SettingsChanges).by(call.actor))
    fields = (
        field for key in changed for field in changed_fields(config.sections[key], before[key], config.values_of(key))
    )
    call.has_changed(fields)
    return changed


def _add(call: HostCall, section: str, values: Mapping[str, Any]) -> list[str]:
    _check_closed(call, section)
    return _told(call, lambda changes: changes.add_item(section, values, call.revision))


def _put(call: HostCall, path: str, values: Mapping[str, Any]) -> list[str]:
    section, dot, name = path.partition(".")
    _check_closed(call, section)
    if not dot:
        return _told(call, lambda changes: changes.put_section(section, values, call.revision))
    return _told(call, lambda changes: changes.put_item(section, name, values, call.revision))


def _remove(call: HostCall, path: str) -> list[str]:
    section, _dot, name = path.partition(".")
    _check_closed(call, section)
    return _told(call, lambda changes: changes.remove_item(section, name, call.revision))


def _set(call: HostCall, path: str, value: str) -> list[str]:
    """Set one setting, `section.key` or `section.item.key`, from a text as a person types it."""
    config = call.part(Config)
    section_key, _dot, rest = path.partition(".")
    _check_closed(call, section_key)
    section = config.sections.get(section_key)
    if section is None:
        known = ", ".join(config.sections)
        raise InvalidSettings([FieldError(section_key, _("is not a section; there are {known}", known=known))])
    if section.identity is None:
        setting = _setting(section, rest, path)
        changed = config.one(section_key) | {setting.key: setting.from_text(value)}
        return _update(call, {section_key: changed})
    item_name, _dot, key = rest.rpartition(".")
    place = call.part(SettingsChanges).place_of(section, item_name, path)
    item = config.many(section_key)[place]
    setting = _setting(config.section_of(section, item), key, path)
    values = {setting.key: setting.from_text(value)}
    return _told(call, lambda changes: changes.put_item(section_key, item_name, values, call.revision))


def _setting(section: Section, key: str, path: str) -> Setting:
    for setting in section.settings:
        if key in (setting.key, *setting.aliases):
            return setting
    raise InvalidSettings([FieldError(path, _("is not a setting"))])


def _text_problem(value: object) -> str | None:
    return None if isinstance(value, str) else _("must be text")


def _object_problem(value: object) -> str | None:
    return None if isinstance(value, Mapping) else _("must be an object")


_ITEM = text("path", _("Path"), _("SECTION.NAME of an object in a list, such as modems.m0"), required=True)
_VALUES = Setting(
    key="values",
    title=_("Values"),
    help=_("an object of settings"),
    default=None,
    kind=Kind.ANY,
    required=True,
    secret=True,
    check=_object_problem,
)

OPERATIONS = (
    Operation(
        name="settings_show",
        title=_("Show the settings"),
        help=_("Show the settings; of a secret only whether it is set."),
        handler=_show,
        reads_only=True,
        command="settings show",
        examples=("", "sms --json"),
        offline=Offline.YES,
    ),
    Operation(
        name="settings_revision",
        title=_("Revision of the settings"),
        help=_(
            "Print the number of the state that the settings are in. A change that names the one it was made from is "
            "refused where somebody else has changed the same section since then."
        ),
        handler=_revision,
        reads_only=True,
        command="settings revision",
        offline=Offline.YES,
    ),
    Operation(
        name="settings_problems",
        title=_("Problems of the settings"),
        help=_("Tell what is kept but cannot be used, so that something safe is; a change of the section ends it."),
        handler=_problems,
        reads_only=True,
        offline=Offline.YES,
    ),
    Operation(
        name="settings_set",
        title=_("Change a setting"),
        help=_("Change one setting. A running gateway uses it at once."),
        handler=_set,
        parameters=(
            text(
                "path", _("Path"), _("SECTION.SETTING, or SECTION.NAME.SETTING in a list such as modems"), required=True
            ),
            Setting(
                key="value",
                title=_("Value"),
                help=_("the value; lists with commas; - reads it from stdin, nothing asks for it"),
                default="",
                kind=Kind.ANY,  # a text that is required is not empty, and this one may be
                required=True,
                secret=True,
                check=_text_problem,
            ),
        ),
        changes=SETTINGS,
        subject="path",
        command="settings set",
        positional=("path", "value"),
        examples=(
            "sms.country_code 62",
            "modems.m0.recipient_prefixes 62812,62813",
            "modems.m0.sim_card_pin - < pin.txt",
            "ingress-rabbitmq.password",
        ),
        offline=Offline.CREATES,
    ),
    Operation(
        name="settings_export",
        title=_("Export the settings"),
        help=_("Print all settings as a JSON document that `otppi settings import` takes."),
        handler=_export,
        parameters=(boolean("secrets", _("Secrets"), _("with PINs, keys and the hashes of passwords"), False),),
        reads_only=True,
        audit=True,
        command="settings export",
        examples=("> settings.json", "(umask 077; otppi settings export --secrets > backup.json)"),
        offline=Offline.YES,
    ),
    Operation(
        name="settings_import",
        title=_("Import settings"),
        help=_(
            "Take a JSON document of settings, all of it or nothing. Sections that it does not name stay as they are; "
            "in those that it names, what it leaves out gets its default, but for secrets. The settings.json of a data "
            "folder is taken as well, such as one that was edited."
        ),
        handler=_import,
        parameters=(
            Setting(
                key="document",
                title=_("Document"),
                help=_("the document; - reads it from stdin"),
                default=None,
                kind=Kind.ANY,
                required=True,
                secret=True,
            ),
        ),
        changes=SETTINGS,
        asks_again=True,
        command="settings import",
        positional=("document",),
        examples=("backup.json", "backup.json --discard-damaged"),
        offline=Offline.CREATES,
    ),
    Operation(
        name="settings_add",
        title=_("Add an object"),
        help=_("Add an object to a list of the settings, such as modems; what is left out has its default."),
        handler=_add,
        parameters=(
            text("section", _("Section"), _("key of the list, such as modems"), required=True),
            _VALUES,
        ),
        changes=SETTINGS,
        subject="section",
        offline=Offline.CREATES,
    ),
    Operation(
        name="settings_put",
        title=_("Change an object"),
        help=_(
            "Change settings of a section, or of one object of a list; what is left out stays. Another name renames an "
            "object, and its secrets and counters stay."
        ),
        handler=_put,
        parameters=(
            text(
                "path",
                _("Path"),
                _("SECTION, or SECTION.NAME of an object in a list, such as modems.m0"),
                required=True,
            ),
            _VALUES,
        ),
        changes=SETTINGS,
        subject="path",
        offline=Offline.YES,
    ),
    Operation(
        name="settings_remove",
        title=_("Remove an object"),
        help=_("Remove an object from a list of the settings, such as a modem."),
        handler=_remove,
        parameters=(_ITEM,),
        changes=SETTINGS,
        subject="path",
        command="settings remove",
        positional=("path",),
        examples=("modems.m0",),
        offline=Offline.YES,
    ),
)
