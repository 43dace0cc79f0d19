"""IPv4 settings, ranges that move along, and values of D-Bus as JSON."""

import ipaddress
import json

import dbus
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otppi.kit.device_network.encoded import decoded, encoded
from otppi.kit.device_network.ipv4 import LARGEST, SMALLEST, netmask_of, prefix_of
from otppi.kit.device_network.ranges import moved


@pytest.mark.parametrize("prefix", range(SMALLEST, LARGEST + 1))
def test_netmask_is_that_of_its_prefix(prefix: int) -> None:
    assert prefix_of(netmask_of(prefix)) == prefix


@pytest.mark.parametrize("netmask", ["", "24", "255.0.255.0", "0.0.0.0", "255.255.255.255", "0.0.0.255"])
def test_what_is_no_netmask_of_a_net(netmask: str) -> None:
    assert prefix_of(netmask) is None


@pytest.mark.parametrize(
    ("first", "last", "net", "there"),
    [
        ("192.168.0.100", "192.168.0.150", "192.168.0.0/24", ("192.168.0.100", "192.168.0.150")),
        ("192.168.0.100", "192.168.0.150", "10.1.2.0/24", ("10.1.2.100", "10.1.2.150")),
        ("192.168.0.100", "192.168.0.150", "10.1.0.0/16", ("10.1.0.100", "10.1.0.150")),
        ("192.168.0.100", "192.168.0.150", "10.1.2.0/28", None),
        ("192.168.0.100", "192.168.1.150", "10.1.2.0/24", None),
        ("192.168.0.100", "192.168.0.255", "10.1.2.0/24", None),
        ("192.168.0.0", "192.168.0.20", "10.1.2.0/24", None),
        ("192.168.0.20", "192.168.0.10", "10.1.2.0/24", None),
    ],
)
def test_range_moves_along(first: str, last: str, net: str, there: tuple[str, str] | None) -> None:
    found = moved(first, last, ipaddress.IPv4Network(net))
    assert (None if found is None else tuple(map(str, found))) == there


@given(st.integers(SMALLEST, LARGEST), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 300))
def test_range_that_has_moved_is_as_large_and_inside(prefix: int, net: int, first: int, size: int) -> None:
    last = min(first + size, 2**32 - 1)
    network = ipaddress.IPv4Network((net, prefix), strict=False)
    found = moved(str(ipaddress.IPv4Address(first)), str(ipaddress.IPv4Address(last)), network)
    if found is not None:
        assert found[0] in network
        assert found[1] in network
        assert int(found[1]) - int(found[0]) == last - first


def test_values_of_dbus_keep_their_types() -> None:
    value = dbus.Dictionary(
        {
            dbus.String("ipv4"): dbus.Dictionary(
                {
                    dbus.String("dns"): dbus.Array([dbus.UInt32(16779530)], signature="u", variant_level=1),
                    dbus.String("address-data"): dbus.Array(
                        [dbus.Dictionary({dbus.String("prefix"): dbus.UInt32(24, variant_level=1)}, signature="sv")],
                        signature="a{sv}",
                        variant_level=1,
                    ),
                    dbus.String("never-default"): dbus.Boolean(True, variant_level=1),
                    dbus.String("method"): dbus.String("manual", variant_level=1),
                    dbus.String("route-metric"): dbus.Int64(-1, variant_level=1),
                    dbus.String("ssid"): dbus.Array([dbus.Byte(195), dbus.Byte(169)], signature="y", variant_level=1),
                    dbus.String("empty"): dbus.Array([], signature="au", variant_level=1),
                },
                signature="sv",
            ),
        },
        signature="sa{sv}",
    )
    again = decoded(json.loads(json.dumps(encoded(value))))
    assert again == value
    assert repr(again) == repr(value)


def test_what_no_profile_has_is_refused() -> None:
    with pytest.raises(TypeError):
        encoded(dbus.Double(1.0))
    with pytest.raises(TypeError):
        decoded(["system", "", 0, "rm"])
