"""A flood of logins: a program that guesses passwords as fast as it is answered, until it is ended.

`python -m tests.benchmark.login_flood PORT CONNECTIONS`. Each connection comes from an address of its own in the
loopback network, and from the next one where it is told to wait: so that passwords are hashed all the time.
"""

import itertools
import sys
import threading

from tests.benchmark.visitor import Visitor

_REFUSED = 429
_OF_ADDRESS = 8
"""Guesses that an address is good for: no more than are free."""


def guess(port: int, addresses: "itertools.count[int]") -> None:
    """Guess passwords of many names, for good."""
    while True:
        number = next(addresses)
        visitor = Visitor(port, f"127.{1 + number // 65_025 % 200}.{number // 255 % 255}.{1 + number % 254}")
        token = visitor.ask("GET", "/login").token
        for guessed in range(_OF_ADDRESS):
            form = {"form_token": token, "username": f"name{number}-{guessed}", "password": "kuda makan batu"}
            if visitor.ask("POST", "/login", form).status == _REFUSED:
                break
        visitor.close()


def main(port: int, connections: int) -> None:
    """Guess over so many connections at a time."""
    addresses = itertools.count()
    threads = [threading.Thread(target=guess, args=(port, addresses)) for _ in range(connections)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
