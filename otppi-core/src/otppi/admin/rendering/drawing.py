"""Draws pages from their templates. Texts are said in the language of whoever looks at the page, where they stand."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from otppi.admin.rendering import formats, states
from otppi.admin.rendering.browsers import browser_said
from otppi.admin.rendering.plain import visible
from otppi.admin.rendering.statics import Statics
from otppi.text import Text, _
from otppi.text.languages import translated
from otppi.text.states import egress_said, said


class Drawing:
    """The templates of a package, and what all of them know.

    Args:
        statics: Where the files are that go with the pages.
    """

    def __init__(self, statics: Statics) -> None:
        # What is drawn is looked at by whom it concerns, and what it is drawn from was typed by anybody: nothing is
        # ever taken for HTML but what templates say.
        self._templates = Environment(
            loader=PackageLoader("otppi.admin"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_said,
        )
        self._templates.globals |= {
            "_": _,
            "static": statics.url,
            "browser_said": browser_said,
            "level": states.level,
            "said": said,
            "egress_said": egress_said,
            "signal_said": states.signal_said,
        }

    def draw(self, template: str, language: str, values: Mapping[str, Any]) -> bytes:
        """Draw a page; half a character of UTF-16, which a modem may have sent, is a question mark.

        Args:
            template: Its file, such as `login.html`.
            language: Of whoever looks at it.
            values: What the template is told.
        """
        say: Callable[[Any], Any] = partial(translated, language=language)
        tools = {
            "language": language,
            "say": say,
            "number": partial(formats.number, language=language),
            "moment": partial(formats.moment, language=language),
        }
        return self._templates.get_template(template).render(tools | dict(values)).encode(errors="replace")


@pass_context
def _said(context: Context, value: Any) -> Any:
    """Say what is written into a page in the page's language, and let no character of it act on what is around it."""
    kind = type(value)  # a form of a modem has a thousand of these
    if kind is Markup:
        return value
    if kind is Text:
        value = translated(value, context["language"])
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
