"""Java properties, as java.util.Properties reads them, and what is none."""

import os

import pytest

from otppi.host.reset.java_properties import MOST, UnreadablePropertiesError, properties_of


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", {}),
        (b"a=b", {"a": "b"}),
        (b"a = b\r\nc: d\re f\n", {"a": "b", "c": "d", "e": "f"}),
        (b"# a=b\n! c=d\n\n  \n e=f", {"e": "f"}),
        (b"a=b\\\n   c\\\r\n d", {"a": "bcd"}),
        (b"a=b\\\\\nc=d", {"a": "b\\", "c": "d"}),
        (b"a\\=b=c\\:d", {"a=b": "c:d"}),
        (b"a=\\u0041\\t\\x", {"a": "A\tx"}),
        (b"a=1\na=2", {"a": "2"}),
        (b"a", {"a": ""}),
        (b"a=b=c", {"a": "b=c"}),
        (b"\xef\xbb\xbfa=b", {"a": "b"}),
        (b"a=\xe9", {"a": "\xe9"}),
        ("a=é".encode(), {"a": "é"}),
        (b"a=b\\", {"a": "b"}),
        (b"VERIFY=eyJhIjoxfQ==", {"VERIFY": "eyJhIjoxfQ=="}),
    ],
)
def test_what_is_read(content: bytes, found: dict[str, str]) -> None:
    assert properties_of(content) == found


@pytest.mark.parametrize("content", [b"a=b\0", b"".join(b"k%d=\n" % one for one in range(MOST + 1))])
def test_what_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadablePropertiesError):
        properties_of(content)


@pytest.mark.parametrize("content", [b"\\" * 65_536, b"=" * 65_536, b" " * 65_536, b"a" * 65_536, b"\\u" * 32_768])
def test_what_is_meant_to_take_long_does_not(content: bytes) -> None:
    assert len(properties_of(content)) <= 1


def test_noise() -> None:
    for _ in range(200):
        content = os.urandom(500).replace(b"\0", b"\n")
        assert isinstance(properties_of(content), dict)
