"""The language that a command speaks: that of `--language`, else of $LANGUAGE, $LC_ALL, $LC_MESSAGES or $LANG."""

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Any

from otppi.cli.argparse_texts import OF_ARGPARSE
from otppi.text import _ as _text
from otppi.text.languages import ENGLISH, language_of, languages, translated

_OPTION = "--language"
_current = ENGLISH


def choose(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Take the language from the arguments of the command line, which are not parsed yet, or from the environment."""
    named = _named(arguments)
    use(named if named in languages() else language_of(environment))


def use(language: str) -> None:
    """Speak a language from now on."""
    global _current
    _current = language
    own = {str(text): text for text in OF_ARGPARSE}
    # Its own way leads through catalogues that are installed in the system, for a locale that is, too.
    vars(argparse)["_"] = lambda sentence: spoken(own.get(sentence, sentence))


class _Speech:
    """Says a text at once in the language that the command speaks: for what is made while the command runs."""

    def __call__(self, template: str, /, **arguments: object) -> str:
        return str(spoken(_text(template, **arguments)))

    def plural(self, one: str, many: str, /, *, count: int, **arguments: object) -> str:
        """Say a text that differs by a number."""
        return str(spoken(_text.plural(one, many, count=count, **arguments)))


_ = _Speech()


def current() -> str:
    """Return the language that the command speaks."""
    return _current


def spoken(value: Any) -> Any:
    """Say a text, or all texts in a list or an object, in the language that the command speaks."""
    return translated(value, _current)


def _named(arguments: Sequence[str]) -> str | None:
    named = None
    for index, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == _OPTION:
            named = (*arguments, None)[index + 1]
        elif argument.startswith(f"{_OPTION}="):
            named = argument.partition("=")[2]
    return named
