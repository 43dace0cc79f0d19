"""The table of nftables: packets that pass it, and packets that do not."""

import time

from otppi.testing.waiting import until
from otppi_firewall_nftables.ports import BUILT_IN, Ports
from otppi_firewall_nftables.table import table

from .conftest import BUILT_IN_TABLE, row
from .networks import ADDRESSES, Networks

SERVED = ("tcp/8888", "tcp/8899", "tcp/10443")
SIDES = ("phone", "lan")


def load(net: Networks, kept: Ports, trial: Ports | None = None, seconds: float = 0.0) -> None:
    net.run("device", "nft", "-f", "-", given=table(kept, trial, seconds))


def with_rows(*rows: tuple[int, str, str]) -> Ports:
    return Ports(BUILT_IN.services, BUILT_IN.page, tuple(row(port, protocol, to) for port, protocol, to in rows))


def test_what_the_device_comes_with_is_what_the_image_loads() -> None:
    comment, _line, text = BUILT_IN_TABLE.read_text().partition("\n")
    assert comment.startswith("# ")
    assert text == table(BUILT_IN)


def test_without_a_table_all_is_open(net: Networks) -> None:
    """So the tests below can fail."""
    for host in ADDRESSES:
        assert net.open(host, "tcp/22", "udp/22") == {"tcp/22", "udp/22"}
        assert net.open(host, "tcp/22", "udp/22", six=True) == {"tcp/22", "udp/22"}


def test_services_are_open_to_both_sides(net: Networks) -> None:
    load(net, BUILT_IN)
    for host in SIDES:
        assert net.open(host, *SERVED, "tcp/22", "udp/8888") == set(SERVED)
        assert net.open(host, *SERVED, "tcp/22", six=True) == set(SERVED)


def test_names_and_addresses_are_for_the_access_point(net: Networks) -> None:
    load(net, BUILT_IN)
    own = ("tcp/53", "udp/53", "udp/67", "udp/68", "udp/546", "udp/5353")
    assert net.open("phone", *own) == set(own)
    assert net.open("lan", *own) == {"udp/68", "udp/546", "udp/5353"}


def test_nothing_is_open_to_the_operators_network(net: Networks) -> None:
    load(net, with_rows((8080, "tcp", "both"), (5000, "udp", "lan")))
    assert net.open("stranger", *SERVED, "tcp/8080", "udp/5000", "udp/5353", "udp/68") == set()
    assert net.open("stranger", *SERVED, "tcp/8080", "udp/5353", six=True) == set()


def test_rows_open_and_close(net: Networks) -> None:
    load(
        net,
        with_rows(
            (8080, "tcp", "both"),
            (8081, "tcp", "lan"),
            (8082, "udp", "access_point"),
            (8899, "tcp", "lan"),
            (10443, "tcp", "nobody"),
        ),
    )
    asked = ("tcp/8080", "udp/8080", "tcp/8081", "tcp/8082", "udp/8082", *SERVED)
    assert net.open("phone", *asked) == {"tcp/8080", "udp/8082", "tcp/8888"}
    assert net.open("lan", *asked) == {"tcp/8080", "tcp/8081", "tcp/8888", "tcp/8899"}


def test_nothing_closes_the_port_of_the_pages(net: Networks) -> None:
    load(net, with_rows((8888, "tcp", "nobody")))
    for host in SIDES:
        assert net.open(host, *SERVED) == set(SERVED)


def test_a_trial_ends_by_itself(net: Networks) -> None:
    """Nobody does anything: the kernel closes what was opened, and opens what was closed."""
    trial = with_rows((8080, "tcp", "both"), (8081, "udp", "lan"), (8899, "tcp", "nobody"), (10443, "tcp", "lan"))
    asked = ("tcp/8080", "udp/8081", *SERVED)
    begun = time.monotonic()
    load(net, BUILT_IN, trial, 8.0)
    phone, lan = net.open("phone", *asked), net.open("lan", *asked)
    if time.monotonic() - begun < 7.0:  # else it has ended already
        assert phone == {"tcp/8080", "tcp/8888"}
        assert lan == {"tcp/8080", "udp/8081", "tcp/8888", "tcp/10443"}
    for host in SIDES:
        until(lambda: net.open(host, *asked) == set(SERVED), "the trial does not end")  # noqa: B023 - at once
    assert time.monotonic() - begun >= 8.0


def test_a_connection_outlives_the_closing_of_its_port(net: Networks) -> None:
    load(net, BUILT_IN)
    program = (
        "import socket, subprocess, sys\n"
        "one = socket.create_server(('', 8899))\n"
        "print('ready', flush=True)\n"
        "channel, _address = one.accept()\n"
        "channel.sendall(channel.recv(9))\n"
    )
    asks = (
        "import socket, sys\n"
        "one = socket.create_connection(('10.9.8.1', 8899), 60)\n"
        "print('connected', flush=True)\n"
        "sys.stdin.readline()\n"
        "one.sendall(b'hello')\n"
        "print(one.recv(9).decode())\n"
    )
    with net.started("device", program) as server:
        assert server.line() == "ready"
        with net.started("lan", asks) as client:
            assert client.line() == "connected"
            load(net, with_rows((8899, "tcp", "nobody")))
            assert net.open("lan", "tcp/8899") == set()
            client.say("go")
            assert client.line() == "hello"


def test_port_80_of_the_access_point_leads_to_the_pages(net: Networks) -> None:
    load(net, BUILT_IN)
    assert net.open("phone", "tcp/80") == {"tcp/80"}
    assert net.open("lan", "tcp/80") == set()
    load(net, Ports((9000,), 9000))
    assert _answered_by(net, "192.168.0.11") == 9000


def test_it_does_so_at_whatever_address_the_access_point_has(net: Networks) -> None:
    load(net, BUILT_IN)
    net.set_address("192.168.0.11", "192.168.0.99")
    try:
        assert _answered_by(net, "192.168.0.99") == 8888
    finally:
        net.set_address("192.168.0.99", "192.168.0.11")


def test_port_80_is_its_own_where_it_is_open(net: Networks) -> None:
    load(net, Ports((80, 8888), 8888))
    assert _answered_by(net, "192.168.0.11") == 80
    load(net, Ports((80, 8888), 8888), Ports((80, 8888), 8888, (row(80, open_to="lan"),)), 600.0)
    assert _answered_by(net, "192.168.0.11") == 8888
    load(net, BUILT_IN, with_rows((80, "tcp", "both")), 600.0)
    assert _answered_by(net, "192.168.0.11") == 80


def _answered_by(net: Networks, address: str) -> int:
    """Return which of the device's ports gets a connection to port 80."""
    program = (
        "import select, socket\n"
        "ones = [socket.create_server(('', port)) for port in (80, 8888, 9000)]\n"
        "print('ready', flush=True)\n"
        "(one, *_), _, _ = select.select(ones, [], [])\n"
        "print(one.getsockname()[1])\n"
    )
    with net.started("device", program) as server:
        assert server.line() == "ready"
        net.open("phone", "tcp/80", address=address)
        return int(server.line())


def test_thousands_of_ports(net: Networks) -> None:
    many = with_rows(*((port, ("tcp", "udp")[port % 2], "both") for port in range(20_000, 24_000)))
    load(net, many, BUILT_IN, 600.0)
    assert net.open("lan", "tcp/20000", "udp/23999", "tcp/8888") == {"tcp/8888"}
    load(net, BUILT_IN, many, 600.0)
    assert net.open("phone", "tcp/20000", "udp/20000", "udp/23999") == {"tcp/20000", "udp/23999"}
