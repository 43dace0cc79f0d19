"""What a person reads: an English sentence that knows its template and arguments, and so can be said in a language.

A `Text` is a `str`, the English sentence: logs, JSON, comparisons and whoever asks for a `str` take it as it is. At the
edge, where it is known who reads, `otppi.text.languages.translated` says it in that person's language.
"""

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

Template = Callable[["Text"], str | None]
"""Gives the template of a text in some language, None where there is none."""

_PLAIN = string.Formatter()
_NO_ARGUMENTS: dict[str, object] = {}  # of most texts, and never written to


class Text(str):
    """An English sentence with the template and the arguments that it was made of; it never changes.

    What a user, a modem or a server said is an argument, never part of the template. Without arguments the template is
    the sentence, as it stands; with some, its fields are those of `str.format`. `domain` is the package whose catalogue
    knows the template, empty where only the arguments are to be translated. Where there is `plural`, the argument
    `count` chooses between the two. `context` tells translators apart what is one word in English and two elsewhere.
    """

    __slots__ = ("_arguments", "context", "domain", "plural", "template")

    template: str
    plural: str
    domain: str
    context: str
    _arguments: dict[str, object]

    def __new__(
        cls,
        template: str,
        arguments: Mapping[str, object] | None = None,
        *,
        domain: str = "",
        plural: str = "",
        context: str = "",
    ) -> "Text":
        """Write the sentence in English."""
        given = {
            name: words(value) if isinstance(value, BaseException) else value
            for name, value in (arguments or {}).items()
        }
        chosen = plural if plural and given.get("count") != 1 else template
        text = super().__new__(cls, chosen.format_map(given) if given else chosen)
        kept = (("template", template), ("plural", plural), ("context", context), ("domain", domain))
        for name, value in (*kept, ("_arguments", given or _NO_ARGUMENTS)):
            object.__setattr__(text, name, value)
        return text

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a text never changes: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a text never changes: {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.template, self._arguments, self.domain, self.plural, self.context)

    @property
    def arguments(self) -> Mapping[str, object]:
        """The arguments by name; those that are texts are translated with the sentence."""
        return MappingProxyType(self._arguments)

    def filled(self, **arguments: object) -> "Text":
        """Make the text of a table's template and these arguments."""
        return Text(self.template, arguments, domain=self.domain, plural=self.plural, context=self.context)

    def rendered(self, template: Template, formatter: string.Formatter = _PLAIN) -> str:
        """Write the sentence with the templates of another language, and the English one where one cannot be used.

        `formatter` writes the arguments, such as numbers with the points and commas of that language.
        """
        arguments = {
            name: value.rendered(template, formatter) if isinstance(value, Text) else value
            for name, value in self._arguments.items()
        }
        own = template(self) if self.domain else None
        if own is not None and not arguments:
            return own
        if own is not None:
            try:
                return formatter.vformat(own, (), arguments)
            except (LookupError, ValueError, TypeError, AttributeError):
                pass  # a catalogue's mistake: the English sentence can be read, and no sentence cannot
        english = self.plural if self.plural and self._arguments.get("count") != 1 else self.template
        return formatter.vformat(english, (), arguments) if arguments else english


def _restored(template: str, arguments: dict[str, object], domain: str, plural: str, context: str = "") -> Text:
    return Text(template, arguments, domain=domain, plural=plural, context=context)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Makes texts whose translations a package has in `locale/LANGUAGE/LC_MESSAGES/PACKAGE.po`.

    It is called `_` where it is used, which is how translators' tools find the sentences.
    """

    domain: str

    def __call__(self, template: str, /, **arguments: object) -> Text:
        """Make a text: `_("host {host} is not known", host=host)`."""
        return Text(template, arguments, domain=self.domain)

    def plural(self, one: str, many: str, /, *, count: int, **arguments: object) -> Text:
        """Make a text that differs by a number: `_.plural("{count} message", "{count} messages", count=n)`."""
        return Text(one, {"count": count, **arguments}, domain=self.domain, plural=many)

    def in_context(self, context: str, template: str, /, **arguments: object) -> Text:
        """Make a text whose English words mean something else elsewhere: `_.in_context("a modem's state", "blocked")`.

        A catalogue has the context as `msgctxt`; English readers are not shown it.
        """
        return Text(template, arguments, domain=self.domain, context=context)


def catalogue(package: str) -> Catalogue:
    """Return what makes the texts of a package (its import name)."""
    return Catalogue(package)


def joined(separator: str, parts: Iterable[str]) -> str:
    """Write texts one after another, each of them translatable still; plain ones are taken as they are."""
    named = {f"part{index}": part for index, part in enumerate(parts)}
    return Text("{between}".join(f"{{{name}}}" for name in named), named | {"between": separator}) if named else ""


def labelled(label: str, text: str) -> str:
    """Write `label: text`, of which either may be translatable still."""
    return joined(": ", (label, text))


def words(error: BaseException) -> str:
    """Return what an error was raised with, as `str(error)` does, but translatable still where it was."""
    return error.args[0] if len(error.args) == 1 and isinstance(error.args[0], Text) else str(error)


_ = catalogue("otppi")
"""Makes the texts of the core."""
