"""The contract of an egress, held by the egresses that the tests of the core use."""

from collections.abc import Callable

import pytest

from otppi.api.errors import Lost
from otppi.testing.egress import CHECKS, EgressBench
from otppi.testing.scripted import ScriptedEgress, ScriptedMailAccount, ScriptedModem, SentText


class ScriptedBench(EgressBench):
    def __init__(self, kind: type[ScriptedModem] | type[ScriptedMailAccount]) -> None:
        self._kind = kind
        self._outbox: list[SentText] = []
        self._made: list[ScriptedEgress] = []

    def make(self) -> ScriptedEgress:
        self._made.append(self._kind("one", self._outbox))
        return self._made[-1]

    def texts(self) -> list[str]:
        return [sent.text for sent in self._outbox]

    def lose(self) -> None:
        for one in self._made:
            one.sickness = Lost("the test has taken it away")
            one.lose(one.sickness)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", [ScriptedModem, ScriptedMailAccount])
def test_the_doubles_keep_the_contract(
    kind: type[ScriptedModem] | type[ScriptedMailAccount], check: Callable[[EgressBench], None]
) -> None:
    check(ScriptedBench(kind))
