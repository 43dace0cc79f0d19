"""No page of a plugin takes the name of one of the administration's own."""

from otppi.admin.rendering.statics import PREFIX
from otppi.api.pages import OWN_NAMES
from otppi.testing.page_routes import page_routes

FREE = {"home"}
"""Names that no page has: they are kept from plugins all the same."""


def test_the_names_that_plugins_cannot_take_are_those_of_the_pages() -> None:
    pages = {path.split("/")[1] for path, _access in page_routes()} - {""}
    others = {PREFIX.strip("/"), "admin"}  # files, and the JSON API
    assert pages | others | FREE == OWN_NAMES
