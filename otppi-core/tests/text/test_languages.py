"""Where a text's translation comes from, and which language a person reads."""

import copy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otppi.api.errors import NotSent, OtpPiError, sentence
from otppi.api.text import catalogue, language_of, languages, translated
from otppi.text import _ as core
from otppi.text import languages as loader
from otppi.text import states
from otppi.text.po import compiled

HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
)


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin's package that ships a catalogue of its own."""
    folder = tmp_path / "stranger_plugin"
    (folder / "locale/id/LC_MESSAGES").mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    loader._translations.cache_clear()
    yield folder / "locale/id/LC_MESSAGES"
    loader._translations.cache_clear()
    sys.modules.pop("stranger_plugin", None)


_ = catalogue("stranger_plugin")


def test_a_plugin_ships_its_own_catalogue(stranger: Path) -> None:
    (stranger / "stranger_plugin.po").write_text(
        HEADER + 'msgid "no signal at {place}"\nmsgstr "tidak ada sinyal di {place}"\n'
    )
    assert translated(_("no signal at {place}", place="m0"), "id") == "tidak ada sinyal di m0"
    assert translated(_("no signal at {place}", place="m0"), "en") == "no signal at m0"


def test_a_compiled_catalogue_is_read_too(stranger: Path) -> None:
    (stranger / "stranger_plugin.mo").write_bytes(compiled(HEADER + 'msgid "no signal"\nmsgstr "tidak ada sinyal"\n'))
    assert translated(_("no signal"), "id") == "tidak ada sinyal"


def test_what_has_no_translation_stays_english(stranger: Path) -> None:
    (stranger / "stranger_plugin.po").write_text(
        HEADER + 'msgid "no signal"\nmsgstr ""\n\n#, fuzzy\nmsgid "x"\nmsgstr "y"\n'
    )
    assert translated(_("no signal"), "id") == "no signal"
    assert translated(_("x"), "id") == "x"
    assert translated(catalogue("nobody_has_this")("no signal"), "id") == "no signal"
    assert (
        translated("plain words of a plugin that knows no texts", "id") == "plain words of a plugin that knows no texts"
    )


@pytest.mark.parametrize("damage", ["nonsense", HEADER + 'msgid "x\n', "\0\xff"])
def test_a_broken_catalogue_is_told_and_leaves_english(
    stranger: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    (stranger / "stranger_plugin.po").write_text(damage, encoding="latin-1")
    assert translated(_("no signal"), "id") == "no signal"
    assert len(caplog.messages) == 1
    assert "stranger_plugin" in caplog.messages[0]


@pytest.mark.parametrize("language", ["../id", "id/..", "", "xx", "\0"])
def test_a_language_that_is_none_is_english(stranger: Path, language: str) -> None:
    (stranger / "stranger_plugin.po").write_text(HEADER + 'msgid "no signal"\nmsgstr "tidak ada sinyal"\n')
    assert translated(_("no signal"), language) == "no signal"


def test_plural_forms_of_the_language_are_used(stranger: Path) -> None:
    entry = 'msgid "{count} message"\nmsgid_plural "{count} messages"\nmsgstr[0] "{count} pesan"\n'
    (stranger / "stranger_plugin.po").write_text(HEADER + entry)
    said = [translated(_.plural("{count} message", "{count} messages", count=n), "id") for n in (0, 1, 2)]
    assert said == ["0 pesan", "1 pesan", "2 pesan"]


def test_numbers_are_written_as_in_the_language(stranger: Path) -> None:
    text = _("at most {limit:,} bytes, {share:.1f} %, {year}", limit=10000, share=2.5, year=2026)
    assert text == "at most 10,000 bytes, 2.5 %, 2026"
    assert translated(text, "id") == "at most 10.000 bytes, 2,5 %, 2026"


def test_texts_are_found_in_lists_and_objects(stranger: Path) -> None:
    (stranger / "stranger_plugin.po").write_text(HEADER + 'msgid "no signal"\nmsgstr "tidak ada sinyal"\n')
    value = {"detail": _("no signal"), "all": [_("no signal"), 1, None], "pair": (_("no signal"), 2.5)}
    assert translated(value, "id") == {
        "detail": "tidak ada sinyal",
        "all": ["tidak ada sinyal", 1, None],
        "pair": ("tidak ada sinyal", 2.5),
    }


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "id"}, "id"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "id_ID"}, "id"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "de:id:en"}, "id"),
        ({"LANG": "id_ID.UTF-8", "LANGUAGE": ""}, "id"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "id"}, "en"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "../../etc"}, "en"),
    ],
)
def test_the_language_is_what_the_environment_asks_for(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


def test_there_are_two_languages() -> None:
    assert {"en", "id"} <= set(languages())


def test_an_error_keeps_its_text(stranger: Path) -> None:
    (stranger / "stranger_plugin.po").write_text(HEADER + 'msgid "no signal"\nmsgstr "tidak ada sinyal"\n')
    assert translated(sentence(NotSent(_("no signal"))), "id") == "tidak ada sinyal"
    assert sentence(OtpPiError("two\nlines")) == "two; lines"


def test_one_word_is_two_in_another_language() -> None:
    modem, number = core.in_context("a modem's state", "blocked"), core("blocked")
    assert modem == number == "blocked"
    assert translated(modem, "id") == "perlu tindakan"
    assert translated(number, "id") == "diblokir"
    assert translated(copy.deepcopy(modem), "id") == "perlu tindakan"
    assert translated(core.in_context("nobody knows it", "blocked"), "id") == "blocked"


@pytest.mark.parametrize(("words", "said"), [(states.said, "diblokir"), (states.egress_said, "perlu tindakan")])
def test_blocked_is_said_of_a_number_or_of_a_modem(words: Callable[[str], str], said: str) -> None:
    assert words("blocked") == "blocked"
    assert translated(words("blocked"), "id") == said
    assert translated(states.said(words("blocked")), "id") == said
    assert words("nonsense") == "nonsense"
