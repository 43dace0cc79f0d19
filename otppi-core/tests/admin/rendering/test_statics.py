"""The files that go with the pages."""

import gzip

import pytest

from otppi.admin.rendering.statics import PREFIX, Statics
from otppi.web.request import Refused, Request
from otppi.web.response import Response


def get(statics: Statics, path: str, method: str = "GET", **fields: str) -> Response:
    return statics.respond(Request(method, path, "", {name.replace("_", "-"): one for name, one in fields.items()}))


@pytest.mark.parametrize(
    ("name", "kind"), [("admin.css", "text/css"), ("admin.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
)
def test_a_file_may_be_kept_for_ever_under_its_name(name: str, kind: str) -> None:
    statics = Statics()
    answer = get(statics, statics.url(name))
    assert (answer.status, answer.content_type.partition(";")[0]) == (200, kind)
    assert "immutable" in dict(answer.headers)["Cache-Control"]
    packed = get(statics, statics.url(name), accept_encoding="br, gzip")
    assert isinstance(answer.body, bytes)
    assert isinstance(packed.body, bytes)
    if dict(packed.headers).get("Content-Encoding") == "gzip":
        assert gzip.decompress(packed.body) == answer.body
        assert len(packed.body) < len(answer.body) / 2


def test_all_of_it_is_a_few_kilobytes() -> None:
    statics = Statics()
    names = ("admin.css", "admin.js")
    packed = [get(statics, statics.url(name), accept_encoding="gzip").body for name in names]
    assert sum(len(one) for one in packed if isinstance(one, bytes)) < 12_000


@pytest.mark.parametrize("path", ["", "admin.css", "../../../etc/passwd", "../service.py", "\x00"])
def test_nothing_else_is_there(path: str) -> None:
    with pytest.raises(Refused) as refused:
        get(Statics(), PREFIX + path)
    assert refused.value.refusal.status == 404


def test_it_is_only_read() -> None:
    statics = Statics()
    with pytest.raises(Refused) as refused:
        get(statics, statics.url("admin.css"), "POST")
    assert refused.value.refusal.status == 405
