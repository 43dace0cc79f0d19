"""How kinds and inputs are asked for."""

from collections.abc import Callable

import pytest

from otppi.admin.forms import Control, FormView, Shown, form_of
from otppi.admin.forms.controls import autocomplete_of, control_of, keyboard_of, type_of
from otppi.api.settings import Input, Kind, Section, Setting, Suggest, boolean, integer, number, rows, text, text_list
from otppi.testing.html import HtmlPage

KINDS = {
    Kind.TEXT: (text("a", "A", "A."), Control.LINE),
    Kind.INTEGER: (integer("a", "A", "A.", 1, minimum=0), Control.LINE),
    Kind.NUMBER: (number("a", "A", "A.", 1.5), Control.LINE),
    Kind.BOOLEAN: (boolean("a", "A", "A.", True), Control.SWITCH),
    Kind.TEXT_LIST: (text_list("a", "A", "A."), Control.LINES),
    Kind.ROWS: (rows("a", "A", "A.", (text("b", "B", "B."),)), Control.ROWS),
    Kind.ANY: (Setting(key="a", title="A", help="A.", default=None, kind=Kind.ANY), Control.LINES),
}
INPUTS = {
    Input.HOST: ("text", "url"),
    Input.IP_ADDRESS: ("text", ""),
    Input.PORT: ("text", "numeric"),
    Input.LISTEN_PORT: ("text", "numeric"),
    Input.LISTEN_ADDRESS: ("text", ""),
    Input.SERIAL_PORT: ("text", ""),
    Input.PATH: ("text", ""),
    Input.URL: ("text", "url"),
    Input.EMAIL: ("text", "email"),
    Input.MSISDN: ("tel", ""),
    Input.PREFIX: ("tel", ""),
    Input.DURATION: ("text", "decimal"),
    Input.TIME: ("time", ""),
    Input.TIME_SPAN: ("text", ""),
    Input.PASSWORD: ("password", ""),
    Input.PIN: ("password", "numeric"),
    Input.COMMAND: ("text", ""),
    Input.REGEX: ("text", ""),
}


def section(*settings: Setting) -> Section:
    return Section(key="own", title="Own", help="Own.", settings=settings, reset_group="sms")


def declared(meaning: Input) -> Setting:
    if meaning in (Input.PORT, Input.LISTEN_PORT):
        return integer("a", "A", "A.", 80, input=meaning)
    if meaning is Input.DURATION:
        return number("a", "A", "A.", 1.0, minimum=0, input=meaning)
    return text("a", "A", "A.", input=meaning, secret=meaning in (Input.PASSWORD, Input.PIN))


def test_every_kind_has_its_control() -> None:
    assert KINDS.keys() == set(Kind)
    assert {kind: control_of(one) for kind, (one, _control) in KINDS.items()} == {
        kind: control for kind, (_one, control) in KINDS.items()
    }


def test_every_input_has_its_type_and_keyboard() -> None:
    assert INPUTS.keys() == set(Input) - {Input.HASH}
    found = {one: (type_of(declared(one)), keyboard_of(declared(one))) for one in INPUTS}
    assert found == INPUTS


@pytest.mark.parametrize("meaning", INPUTS)
def test_no_browser_fills_in_the_password_of_who_is_logged_in(meaning: Input) -> None:
    secret = meaning in (Input.PASSWORD, Input.PIN)
    assert autocomplete_of(declared(meaning)) == ("new-password" if secret else "off")


def test_a_number_that_may_be_negative_gets_a_keyboard_with_a_minus() -> None:
    assert keyboard_of(integer("a", "A", "A.", 0, minimum=-5)) == ""
    assert keyboard_of(integer("a", "A", "A.", 0, minimum=0)) == "numeric"


def test_choices_are_chosen_and_what_is_none_of_them_is_still_shown() -> None:
    own = section(text("mode", "Mode", "The mode.", "slow", choices=("slow", "fast")))
    (field,) = form_of(own, {"mode": "fast"}).groups[0].fields
    assert field.control is Control.CHOICE
    assert [one.value for one in field.choices] == ["slow", "fast"]
    (field,) = form_of(own, {"mode": "odd"}).groups[0].fields
    assert [one.value for one in field.choices] == ["odd", "slow", "fast"]


def test_secrets_of_every_kind_show_dots_or_nothing() -> None:
    kinds = (Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT_LIST)
    defaults = {Kind.TEXT: "", Kind.INTEGER: 1, Kind.NUMBER: 1.5, Kind.BOOLEAN: True, Kind.TEXT_LIST: []}
    own = section(
        *(
            Setting(key=f"s{at}", title="S", help="S.", default=defaults[kind], kind=kind, secret=True)
            for at, kind in enumerate(kinds)
        )
    )
    fields = form_of(own, {"s0": "a", "s1": 4711, "s2": 47.11, "s3": True, "s4": ["a"]}).groups[0].fields
    assert [one.control for one in fields] == [Control.DOTS, Control.DOTS, Control.DOTS, Control.CHOICE, Control.LINES]
    assert [(one.value, one.on, one.stored) for one in fields] == [("", False, True)] * 5


def test_rows_that_are_secret_are_not_asked_for() -> None:
    hidden = Setting(
        key="rows", title="R", help="R.", default=[], kind=Kind.ROWS, columns=(text("b", "B", "B."),), secret=True
    )
    assert form_of(section(hidden, text("a", "A", "A.")), {"rows": [{"b": "x"}]}).groups[0].fields[0].name == "a"


def test_choices_are_called_what_people_call_them() -> None:
    titles = {"slow": "one after another"}
    own = section(text("mode", "Mode", "The mode.", "slow", choices=("slow", "fast"), choice_titles=titles))
    (field,) = form_of(own, {}).groups[0].fields
    assert [one.title for one in field.choices] == ["one after another", "fast"]
    assert field.default == "one after another"
    with pytest.raises(ValueError, match="which is no choice"):
        text("mode", "Mode", "The mode.", "slow", choices=("slow",), choice_titles={"fast": "at once"})


def test_what_the_gateway_knows_is_offered(page: Callable[[FormView, str], HtmlPage]) -> None:
    own = section(
        text("port", "Port", "The port.", suggest=Suggest.SERIAL_PORTS),
        text_list("on", "On", "Where.", suggest=Suggest.INGRESSES),
    )
    known = {Suggest.SERIAL_PORTS: [("/dev/ttyUSB0", "E3372")], Suggest.INGRESSES: [("ingress-rest", ""), ("x", "")]}
    drawn = page(form_of(own, {}, Shown(suggestions=known)), "en")
    assert drawn.faults() == []
    assert ("option", {"value": "/dev/ttyUSB0"}) in drawn.elements
    assert "There are: ingress-rest, x" in drawn.text
