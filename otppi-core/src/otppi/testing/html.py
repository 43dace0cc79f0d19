"""Reads the pages of the administration as a browser without script does: what is in them, what their forms send."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
"""Elements that have no end (HTML, 13.1.2)."""
_NAMING: Final = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "list", "data-enabled-by")
"""Attributes that name others by their ids."""
_NOT_SENT: Final = frozenset({"submit", "button", "reset", "image", "file"})
_LABELLED: Final = frozenset({"input", "select", "textarea"})


@dataclass(slots=True)
class HtmlControl:
    """An element of a form whose value is sent.

    Attributes:
        tag: Its element.
        attributes: Of it.
        value: What stands in it, or what is chosen; of a button what it sends.
        checked: Whether a check box is.
        options: The values that can be chosen.
    """

    tag: str
    attributes: Mapping[str, str]
    value: str = ""
    checked: bool = False
    options: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """By which name it is sent."""
        return self.attributes.get("name", "")

    @property
    def type(self) -> str:
        """Return the type of an input or button."""
        return self.attributes.get("type", "submit" if self.tag == "button" else "text")

    @property
    def is_button(self) -> bool:
        """Whether it is sent where it was pressed only."""
        return self.tag == "button" or self.type in _NOT_SENT


@dataclass(slots=True)
class HtmlForm:
    """A form, which can be filled in.

    Attributes:
        action: Where it is sent to.
        method: How.
        controls: Its elements.
    """

    action: str
    method: str
    controls: list[HtmlControl] = field(default_factory=list)

    def __getitem__(self, name: str) -> HtmlControl:
        """Return the element of a name that is not hidden.

        Raises:
            KeyError: There is none.
        """
        for control in self.controls:
            if control.name == name:
                return control
        raise KeyError(name)

    def fill(self, **values: str | bool) -> "HtmlForm":
        """Type texts, choose, and tick or untick check boxes.

        Raises:
            KeyError: The form has no such field.
        """
        for name, value in values.items():
            control = self[name]
            if isinstance(value, bool):
                control.checked = value
            else:
                control.value = value
        return self

    def sent(self, pressed: str = "") -> dict[str, list[str]]:
        """Return what is sent (HTML, 4.10.22.4) where a button was pressed, or Enter."""
        fields: dict[str, list[str]] = {}
        buttons = [one for one in self.controls if one.is_button]
        button = next((one for one in buttons if one.name == pressed), None) if pressed else next(iter(buttons), None)
        if pressed and button is None:
            raise KeyError(pressed)
        for control in self.controls:
            if not control.name or (control.is_button and control is not button):
                continue
            if control.type in ("checkbox", "radio") and control.tag == "input" and not control.checked:
                continue
            fields.setdefault(control.name, []).append(_as_sent(control))
        return fields


def _as_sent(control: HtmlControl) -> str:
    if control.tag == "textarea":
        return control.value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    if control.tag == "input" and control.type != "hidden":
        return control.value.replace("\r", "").replace("\n", "")
    return control.value


class HtmlPage(HTMLParser):
    """A page, or a piece of one.

    Attributes:
        forms: Its forms.
        ids: Of its elements.
        elements: Each tag with its attributes.
        text: What can be read in it.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[HtmlForm] = []
        self.ids: list[str] = []
        self.elements: list[tuple[str, Mapping[str, str]]] = []
        self.text = ""
        self._faults: list[str] = []
        self._open: list[str] = []
        self._form: HtmlForm | None = None
        self._control: HtmlControl | None = None
        self._begun = False
        self.feed(html)
        self.close()
        self._faults += [f"<{tag}> has no end" for tag in self._open]

    def faults(self) -> list[str]:
        """Return what is wrong: tags that do not match, ids twice, names of ids that are none, fields without label."""
        found = list(self._faults)
        found += [f"id {one} is there twice" for one in sorted(set(self.ids)) if self.ids.count(one) > 1]
        labels = {attributes["for"] for tag, attributes in self.elements if tag == "label" and "for" in attributes}
        for tag, attributes in self.elements:
            for name, one in _named(attributes):
                if one not in self.ids:
                    found.append(f"{name} of <{tag}> names {one}, which is none")
            target = attributes.get("href", "")
            if target.startswith("#") and target[1:] not in self.ids:
                found.append(f"a link to {target}, which is none")
            found += _unsafe(tag, attributes)
            if tag in _LABELLED and attributes.get("type") != "hidden" and attributes.get("id") not in labels:
                found.append(f"<{tag}> {attributes.get('name')} has no label")
        return found

    # -- parsing ----------------------------------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See the start of an element."""
        attributes = {name: value or "" for name, value in attrs}
        if len(attributes) < len(attrs):
            self._faults.append(f"<{tag}> has an attribute twice")
        self.elements.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "form":
            self._form = HtmlForm(attributes.get("action", ""), attributes.get("method", "get"))
            self.forms.append(self._form)
        elif tag in (*_LABELLED, "button"):
            self._add(HtmlControl(tag, attributes, attributes.get("value", ""), "checked" in attributes))
        elif tag == "option" and self._control is not None and self._control.tag == "select":
            value = attributes.get("value", "")
            if "selected" in attributes or not self._control.options:
                self._control.value = value
            self._control.options.append(value)

    def _add(self, control: HtmlControl) -> None:
        self._control, self._begun = None if control.tag == "input" else control, False
        if self._form is not None:
            self._form.controls.append(control)

    def handle_data(self, data: str) -> None:
        """See text."""
        self.text += data
        if self._control is not None and self._control.tag == "textarea":
            # One line break behind the tag is dropped (HTML, 13.2.6.4.7).
            self._control.value += data if self._begun else data.removeprefix("\n")
            self._begun = True

    def handle_endtag(self, tag: str) -> None:
        """See the end of an element."""
        if not self._open or self._open[-1] != tag:
            self._faults.append(f"</{tag}> within {self._open[-1:]}")
        else:
            self._open.pop()
        if tag == "form":
            self._form = None
        elif self._control is not None and tag == self._control.tag:
            self._control = None


def _named(attributes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _NAMING:
        yield from ((name, one) for one in attributes.get(name, "").split())


def _unsafe(tag: str, attributes: Mapping[str, str]) -> list[str]:
    """Return what the content security policy of the pages would not let through."""
    inline = [name for name in attributes if name == "style" or name.startswith("on")]
    script = [tag] if tag == "style" or (tag == "script" and "src" not in attributes) else []
    return [f"<{tag}> has an inline {one}" for one in (*inline, *script)]
