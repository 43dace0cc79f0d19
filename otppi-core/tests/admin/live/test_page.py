"""The page of the monitor as it is drawn: the same table without the script, filtered by the address."""

import json
import re
from typing import Any

import pytest

from otppi.admin.live.page import FILTERS, NOTHING, page_values, words
from otppi.admin.live.snapshot import GatewayView
from otppi.admin.rendering.states import LEVELS
from otppi.api.egress import EgressState
from otppi.api.message import State
from otppi.host.runtime.supervisor import ThreadState


@pytest.fixture
def shown(gateway: Any) -> dict[str, Any]:
    gateway.send(1)
    gateway.send(2)
    return GatewayView(gateway.registry).snapshot()


def test_every_state_has_a_word_and_a_look_in_each_language() -> None:
    english, indonesian = words("en"), words("id")
    assert english.keys() == indonesian.keys()
    assert set(english["messages"]) == {one.value for one in State}
    assert set(english["parts"]) >= {one.value for one in (*EgressState, *ThreadState)}
    for table in ("messages", "parts"):
        for state, (level, word) in english[table].items():
            assert word
            assert level == LEVELS.get(state, "off")
            assert indonesian[table][state][1] != state
    assert indonesian["messages"]["blocked"][1] == "diblokir"
    assert indonesian["parts"]["blocked"][1] == "perlu tindakan"


def test_what_the_script_fills_in_stands_in_the_words_of_each_language() -> None:
    for language in ("en", "id"):
        news = words(language)["news"]
        assert "{count}" in news
        assert "{failed}" in news


def test_rows_are_filtered_by_what_the_address_says(shown: dict[str, Any]) -> None:
    everything = page_values(shown, {}, "en")
    assert [one["id"] for one in everything["rows"]] == [one["id"] for one in shown["messages"]]
    assert len(everything["rows"]) == 2
    for name in FILTERS:
        value = shown["messages"][0][name]
        assert page_values(shown, {name: value}, "en")["rows"] == everything["rows"]
        assert page_values(shown, {name: "<other>"}, "en")["rows"] == []
    assert everything["choices"]["source"] == [("test", "test")]
    assert everything["choices"]["modem"] == [("scripted", "scripted")]
    assert ("sent", "sent") in everything["choices"]["state"]


@pytest.mark.parametrize(("language", "title"), [("en", "Test ingress"), ("id", "Jalur masuk uji")])
def test_an_ingress_is_called_by_its_title(shown: dict[str, Any], language: str, title: str) -> None:
    """`ingress-rest (app)` stood in the rows of the monitor."""
    source = {"name": "test", "title": {"en": "Test ingress", "id": "Jalur masuk uji"}}
    values = page_values(shown | {"sources": [source]}, {}, language)
    assert {one["from"].partition(" (")[0] for one in values["rows"]} == {title}
    assert values["choices"]["source"] == [("test", title)]
    assert values["words"]["origins"]["test"] == title, "the script takes it from there"


def test_the_patterns_of_the_script_have_all_that_a_snapshot_tells(shown: dict[str, Any]) -> None:
    for part in ("modems", "sources", "messages"):
        for one in shown[part]:
            assert one.keys() - NOTHING.keys() <= {"channel", "balance_low"}


def drawn(shown: dict[str, Any], language: str, **wanted: str) -> str:
    from jinja2 import ChoiceLoader, DictLoader

    from otppi.admin.rendering.drawing import Drawing
    from otppi.admin.rendering.statics import Statics

    drawing = Drawing(Statics())
    base = "<title>{% block title %}{% endblock %}</title>{% block content %}{% endblock %}"
    loader = drawing._templates.loader
    assert loader is not None
    drawing._templates.loader = ChoiceLoader([DictLoader({"base.html": base}), loader])
    return drawing.draw("monitor.html", language, page_values(shown, wanted, language)).decode()


def test_without_its_script_the_page_says_the_same(shown: dict[str, Any], gateway: Any) -> None:
    page = drawn(shown, "id")
    body = page.partition("<template")[0]
    assert body.count("<tr role=") == 3
    assert body.count("terkirim ke operator") >= 2
    assert "62812******02" in body
    assert "siap" in body
    assert 'href="/monitor?source=&amp;modem=&amp;state="' in body
    assert gateway.marker not in page
    table = drawn(shown, "en", state="failed").partition("<template")[0]
    assert table.count("<tr role=") == 1
    assert re.search(r'<p class="card" id="empty">', table)
    assert '<option value="failed" selected>' in table


def test_nothing_that_came_with_a_message_is_taken_for_html(shown: dict[str, Any]) -> None:
    evil = """'"><script>alert(1)</script>"""
    shown["messages"][0] |= {"sender": evil, "cause": {"en": evil, "id": evil}}
    shown["modems"][0] |= {"operator": evil, "problem": evil}
    shown["gateway"]["warnings"] = [evil]
    page = drawn(shown, "en", source=evil)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    told = re.search(r"data-words='([^']*)'", page)
    assert told is not None
    assert json.loads(told[1])["pause"] == "Pause"
