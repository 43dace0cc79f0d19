"""E-mail addresses as people write them: one key for one mailbox, and nothing that two programs read differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.wire.errors import AddressError
from otppi.wire.mail_address import mask_mail_address, read_mail_address


@pytest.mark.parametrize(
    ("written", "address", "key"),
    [
        ("one@example.com", "one@example.com", "one@example.com"),
        (" One.Two+tag@Example.COM\n", "One.Two+tag@example.com", "one.two+tag@example.com"),
        ("someone@domain.tld", "someone@domain.tld", "someone@domain.tld"),
        ("x@bücher.example", "x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ("Jörg@example.com", "Jörg@example.com", "jörg@example.com"),
        ("o'neil@a-b.c1.example", "o'neil@a-b.c1.example", "o'neil@a-b.c1.example"),
        (f"{'l' * 64}@example.com", f"{'l' * 64}@example.com", f"{'l' * 64}@example.com"),
    ],
)
def test_what_a_mailbox_looks_like(written: str, address: str, key: str) -> None:
    found = read_mail_address(written)
    assert (found.address, found.key) == (address, key)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "no @"),
        ("one", "no @"),
        ("@", "nothing before"),
        ("@example.com", "nothing before"),
        ("one@", "no domain"),
        ("one@two@example.com", "more than one @"),
        ("one@example.com, two@example.com", "blank"),
        ("one@example.com,two@example.com", "more than one @"),
        ("One <one@example.com>", "blank"),
        ("<one@example.com>", "sign"),
        ('"one"@example.com', "sign"),
        ("one(two)@example.com", "sign"),
        ("one..two@example.com", "dot"),
        (".one@example.com", "dot"),
        ("one.@example.com", "dot"),
        ("one@example.com>\r\nRCPT", "blank"),
        ("one\0@example.com", "sign"),
        ("one\u200b@example.com", "invisible"),
        ("one@localhost", "no dot"),
        ("one@[127.0.0.1]", "none"),
        ("one@127.0.0.1", "number"),
        ("one@-example.com", "none"),
        ("one@example..com", "none"),
        ("one@example.com.", "none"),
        ("one@exa_mple.com", "none"),
        ("one@stra\u00dfe.example", "two ways"),
        (f"one@{'a' * 64}.com", "none"),
        (f"{'l' * 65}@example.com", "octets before"),
        (f"{'l' * 64}@{'.'.join(['d' * 60] * 3)}.example.com", "254"),
    ],
)
def test_what_is_none(written: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason) as caught:
        read_mail_address(written)
    assert "one" not in str(caught.value).replace("none", "").replace("more than one @", "")


@given(st.text(max_size=80))
def test_nothing_else_is_raised_and_a_key_is_read_as_itself(written: str) -> None:
    try:
        found = read_mail_address(written)
    except AddressError:
        return
    assert found.address.isprintable()
    assert found.domain.isascii()
    again = read_mail_address(found.key)
    assert again.domain == found.domain


def test_the_mask_shows_the_domain_and_is_its_own_mask() -> None:
    masked = mask_mail_address("somebody@example.com")
    assert masked == "s*****@example.com"
    assert mask_mail_address(masked) == masked
