"""Ports that were open when the program began."""

import os
import socket

from otppi.web.listener import inherited_port


def test_a_listening_port_is_taken_over_and_passed_on_to_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        descriptor = os.dup(opened.fileno())
        os.set_inheritable(descriptor, True)
        taken = inherited_port(descriptor)
        assert taken is not None
        with taken:
            assert taken.getsockname() == opened.getsockname()
            assert not os.get_inheritable(descriptor)


def test_a_socket_of_somebody_else_stays_as_it_is() -> None:
    """That to which systemd has the log written, for one."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert inherited_port(ours.fileno()) is None
        ours.sendall(b"a line")
        assert theirs.recv(100) == b"a line"
    with socket.socket(socket.AF_UNIX) as local, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        local.bind("")
        local.listen()
        assert inherited_port(local.fileno()) is None
        assert inherited_port(datagrams.fileno()) is None
        assert local.fileno() >= 0
        assert os.fstat(local.fileno())
        assert os.fstat(datagrams.fileno())


def test_what_is_no_descriptor_is_no_port() -> None:
    assert inherited_port(9_999_999) is None
