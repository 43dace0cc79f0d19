"""The declaration of settings: one gives validation, redaction, JSON Schema, reference, form and reset group.

A plugin declares each `Setting` with `text`, `integer`, `number`, `boolean`, `text_list` or `rows`, and puts them into
a `Section`. What cannot work is refused when it is set: say so in the `check` of a setting, in the `checks` of a
section where it takes several settings, or in its `check_items` and `check_document` where it takes several objects or
sections, in its `check_changes` where a change must not be made although its result is valid.
"""

from otppi.api.settings.checks import ChangesCheck, Check, Document, DocumentCheck, ItemsCheck
from otppi.api.settings.declare import Rules, boolean, grouped, integer, number, rows, text, text_list
from otppi.api.settings.inputs import Input
from otppi.api.settings.kinds import REDACTED, Effect, Group, Kind, Suggest
from otppi.api.settings.section import RENAMED_FROM, ItemType, Section
from otppi.api.settings.setting import Setting
from otppi.api.settings.typed import TypedSection
from otppi.wire.errors import FieldError

__all__ = [
    "REDACTED",
    "RENAMED_FROM",
    "ChangesCheck",
    "Check",
    "Document",
    "DocumentCheck",
    "Effect",
    "FieldError",
    "Group",
    "Input",
    "ItemType",
    "ItemsCheck",
    "Kind",
    "Rules",
    "Section",
    "Setting",
    "Suggest",
    "TypedSection",
    "boolean",
    "grouped",
    "integer",
    "number",
    "rows",
    "text",
    "text_list",
]
