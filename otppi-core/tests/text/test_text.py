"""A text is a str in English, and knows what it was made of."""

import copy
import json
import logging
import pickle
from typing import Any

import pytest

from otppi.text import Text, catalogue, joined, labelled

_ = catalogue("stranger")

GERMAN = {
    "host {host} is not known": "Host {host} ist nicht bekannt",
    "wrong": "falsch",
    "{count} message": "{count} Nachricht(en)",
    "broken {name}": "kaputt {nome}",
    "braces {name}": "Klammern {name",
}


def german(text: Text) -> str | None:
    return GERMAN.get(text.template)


def test_a_text_is_the_english_sentence() -> None:
    text = _("host {host} is not known", host="example.com")
    assert isinstance(text, str)
    assert text == "host example.com is not known"
    assert hash(text) == hash("host example.com is not known")
    assert json.dumps({"cause": text}) == '{"cause": "host example.com is not known"}'
    assert f"{text}" == str(text) == "%s" % text  # noqa: UP031 - as logging does it
    assert type(str(text)) is str
    assert (text.template, text.arguments, text.domain) == (
        "host {host} is not known",
        {"host": "example.com"},
        "stranger",
    )


def test_logging_writes_english(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("lost: %s", _("host {host} is not known", host="h"))
    assert caplog.messages == ["lost: host h is not known"]


def test_it_is_said_in_another_language() -> None:
    assert _("host {host} is not known", host="h").rendered(german) == "Host h ist nicht bekannt"


def test_texts_within_a_text_are_said_in_that_language_too() -> None:
    text = _("host {host} is not known", host=_("wrong"))
    assert text == "host wrong is not known"
    assert text.rendered(german) == "Host falsch ist nicht bekannt"


@pytest.mark.parametrize(
    "host", ["{host}", "{0}", "{", "}}", "%s", "%(x)s", "100 %", "{host.__class__}", "\N{RIGHT-TO-LEFT OVERRIDE}"]
)
def test_an_argument_is_never_read_as_a_template(host: str) -> None:
    text = _("host {host} is not known", host=host)
    assert text == f"host {host} is not known"
    assert text.rendered(german) == f"Host {host} ist nicht bekannt"
    assert joined("; ", [host, text]) == f"{host}; {text}"


def test_without_arguments_the_template_is_the_sentence() -> None:
    assert _('{"command": "send-sms"} 100 %') == '{"command": "send-sms"} 100 %'
    assert _("{").rendered(german) == "{"


def test_a_number_chooses_between_two_sentences() -> None:
    def said(count: int) -> Text:
        return _.plural("{count} message", "{count} messages", count=count)

    assert [said(0), said(1), said(2)] == ["0 messages", "1 message", "2 messages"]
    assert said(3).rendered(german) == "3 Nachricht(en)"
    assert said(3).rendered(lambda text: None) == "3 messages"


@pytest.mark.parametrize("template", ["broken {name}", "braces {name}"])
def test_a_mistake_in_a_catalogue_leaves_the_sentence_english(template: str) -> None:
    assert _(template, name="x").rendered(german) == template.format(name="x")


def test_copies_are_the_same_text() -> None:
    text = _("host {host} is not known", host=_("wrong"))
    for copied in (pickle.loads(pickle.dumps(text)), copy.copy(text), copy.deepcopy(text)):  # noqa: S301
        assert copied == text
        assert copied.rendered(german) == "Host falsch ist nicht bekannt"


def test_a_text_never_changes() -> None:
    text = _("host {host} is not known", host="h")
    with pytest.raises(AttributeError):
        text.template = "x"
    with pytest.raises(AttributeError):
        text.more = "x"
    arguments: Any = text.arguments
    with pytest.raises(TypeError):
        arguments["host"] = "x"


def test_texts_one_after_another_stay_translatable() -> None:
    parts = joined(" {and} ", [_("wrong"), "plain", labelled("m0", _("wrong"))])
    assert parts == "wrong {and} plain {and} m0: wrong"
    assert isinstance(parts, Text)
    assert parts.rendered(german) == "falsch {and} plain {and} m0: falsch"
    assert joined(", ", []) == ""
