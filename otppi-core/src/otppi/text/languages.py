"""Says texts in the language of whoever reads them, by the catalogues that packages ship."""

import gettext
import io
import logging
import re
import string
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from otppi.text import Text
from otppi.text.po import compiled

logger = logging.getLogger(__name__)

ENGLISH = "en"
"""The language of the templates."""

_CORE = "otppi"
_NAME = re.compile("[a-zA-Z]{2,3}(_[a-zA-Z]{2,4})?")
_SWAPPED = str.maketrans(",.", ".,")
_DECIMAL_COMMA = frozenset({"id"})


def translated(value: Any, language: str) -> Any:
    """Say a text in a language; of lists and objects, all texts in them.

    What is no `Text`, and what the catalogue of a text does not know, comes back as it is.
    """
    if isinstance(value, Text):
        return value.rendered(lambda text: _template(text, language), _formatter(language))
    if isinstance(value, Mapping):
        return {key: translated(one, language) for key, one in value.items()}
    if isinstance(value, list):
        return [translated(one, language) for one in value]
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(translated(one, language) for one in value)
    return value


@lru_cache
def languages() -> tuple[str, ...]:
    """Return the languages that the core can be read in, English among them."""
    return tuple(sorted({ENGLISH, *(one.name for one in _locale(_CORE).iterdir() if one.is_dir())}))


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language that the variables of a process ask for, as in gettext(3); English where we lack it."""
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "C")
    if _short(locale) in ("c", "posix"):
        return ENGLISH
    wanted = [*environment.get("LANGUAGE", "").split(":"), locale]
    return next((known for one in wanted if (known := _short(one)) in languages()), ENGLISH)


def _short(locale: str) -> str:
    """Take the language of a locale's name: id of id_ID.UTF-8@variant."""
    for mark in "@._":
        locale = locale.partition(mark)[0]
    return locale.lower()


def _template(text: Text, language: str) -> str | None:
    known = _translations(text.domain, language)
    if known is None:
        return None
    if text.plural:
        count = text.arguments.get("count")
        found = known.ngettext(text.template, text.plural, count if isinstance(count, int) else 2)
    else:
        found = known.pgettext(text.context, text.template) if text.context else known.gettext(text.template)
    return found or None


@lru_cache(maxsize=512)
def _translations(domain: str, language: str) -> gettext.NullTranslations | None:
    """Read a package's catalogue, once; a package that has none, or a broken one, is read in English."""
    if not _NAME.fullmatch(language):
        return None
    try:
        folder = _locale(domain) / language / "LC_MESSAGES"
        source, binary = folder / f"{domain}.po", folder / f"{domain}.mo"
        if source.is_file():
            return gettext.GNUTranslations(io.BytesIO(compiled(source.read_text(encoding="utf-8"))))
        return gettext.GNUTranslations(io.BytesIO(binary.read_bytes())) if binary.is_file() else None
    except (ImportError, AttributeError):  # no package of this name
        return None
    except (OSError, ValueError, LookupError, SyntaxError) as error:
        logger.warning("the texts of %s in %r cannot be read (%s), and stay English", domain, language, error)
        return None


def _locale(package: str) -> Path:
    return Path(import_module(package).__path__[0]) / "locale"


class _DecimalComma(string.Formatter):
    """Writes numbers as much of the world does: 10.000,5."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Write a number with a comma before its fraction, where the template says how to write it."""
        written = super().format_field(value, format_spec)
        number = isinstance(value, int | float) and not isinstance(value, bool) and format_spec
        return written.translate(_SWAPPED) if number else written


def _formatter(language: str) -> string.Formatter:
    return _DecimalComma() if language in _DECIMAL_COMMA else string.Formatter()
