"""Texts that people read, and the languages in which they can be said; docs/translating.md tells the whole.

A package makes its texts with `_ = catalogue("its_import_name")`, and ships what they are in other languages as
`locale/LANGUAGE/LC_MESSAGES/its_import_name.po`, or compiled, as `.mo`. A text is a `str` in English; `translated` says
it in a language at the edge: on a page, or on the command line.
"""

from otppi.text import Catalogue, Text, catalogue, joined, labelled
from otppi.text.languages import ENGLISH, language_of, languages, translated

__all__ = ["ENGLISH", "Catalogue", "Text", "catalogue", "joined", "labelled", "language_of", "languages", "translated"]
