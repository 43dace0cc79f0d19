"""The registry of operations: role, arguments, the lock of changes, the audit; and what cannot be declared."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from otppi.api.errors import Busy, InvalidSettings, NotPermitted, OtpPiError
from otppi.api.operations import Actor, Call, Offline, Operation, Role
from otppi.api.settings import boolean, integer, text
from otppi.host.runtime.registry import Audited, Registry, log_audited, origin_of
from otppi.testing.waiting import PATIENCE

VIEWER, OPERATOR, ADMINISTRATOR = (Actor("ayu", "pages", role, "192.0.2.1") for role in Role)
PIN = "73917391"


class Bench:
    """A registry with some operations, and what was asked of them and audited."""

    def __init__(self) -> None:
        self.audit: list[Audited] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.hanging, self.go_on = threading.Event(), threading.Event()
        self.at_once, self.most_at_once = 0, 0
        name = text("name", "Name", "Whose.", required=True)
        self.registry = Registry(
            [
                Operation(
                    name="look", title="Look", help="Look.", handler=self._note, role=Role.VIEWER, reads_only=True
                ),
                Operation(name="ring", title="Ring", help="Ring.", handler=self._note, role=Role.OPERATOR),
                Operation(
                    name="lock",
                    title="Lock",
                    help="Lock.",
                    handler=self._note,
                    parameters=(
                        name,
                        text("pin", "PIN", "Secret.", secret=True, pattern="[0-9]+"),
                        integer("times", "Times", "How often.", 1, minimum=1, aliases=("count",)),
                        boolean("firmly", "Firmly", "Whether.", False),
                    ),
                    changes="locks",
                    subject="name",
                ),
                Operation(name="hang", title="Hang", help="Hang.", handler=self._hang, changes="locks"),
                Operation(
                    name="fail", title="Fail", help="Fail.", handler=self._fail, parameters=(name,), changes="locks"
                ),
                Operation(
                    name="slip", title="Slip", help="Slip.", handler=self._slip, role=Role.VIEWER, reads_only=True
                ),
                Operation(name="both", title="Both", help="Both.", handler=self._both, changes="locks"),
                Operation(name="rush", title="Rush", help="Rush.", handler=self._rush, changes="locks"),
            ],
            tell=self.audit.append,
            patience=0.05,
        )

    def call(self, name: object, arguments: object = None, actor: Actor = ADMINISTRATOR) -> Any:
        return self.registry.call(name, {} if arguments is None else arguments, actor)

    def _note(self, call: Call, **arguments: Any) -> str:
        self.calls.append((call.actor.name, arguments))
        return "done"

    def _hang(self, call: Call) -> None:
        self.hanging.set()
        assert self.go_on.wait(PATIENCE)

    def _fail(self, call: Call, name: str) -> None:
        raise OtpPiError(f"it cannot, for {PIN} was in the way")

    def _slip(self, call: Call) -> Any:
        return call.perform("ring")

    def _both(self, call: Call) -> Any:
        return [call.perform("look"), call.perform("lock", name="inner", pin=PIN), call.perform("ring")]

    def _rush(self, call: Call) -> None:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        threading.Event().wait(0.001)
        self.at_once -= 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


def fields(error: InvalidSettings) -> list[str]:
    return [problem.field for problem in error.problems]


# -- roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("wanted", Role)
def test_a_role_may_do_what_those_below_it_may(role: Role, wanted: Role) -> None:
    order = [Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR]
    assert role.covers(wanted) is (order.index(role) >= order.index(wanted))


def test_a_role_that_is_too_small_is_refused_and_audited(bench: Bench) -> None:
    assert bench.call("look", actor=VIEWER) == "done"
    for name, actor in (("ring", VIEWER), ("lock", OPERATOR), ("lock", VIEWER)):
        with pytest.raises(NotPermitted, match=f"{name} is for the role"):
            bench.call(name, {"name": "front"}, actor)
    assert [(one.operation, one.actor, one.outcome, one.detail) for one in bench.audit] == [
        ("ring", VIEWER, "refused", "role"),
        ("lock", OPERATOR, "refused", "role"),
        ("lock", VIEWER, "refused", "role"),
    ]
    assert len(bench.calls) == 1


def test_whoever_may_not_learns_nothing_of_the_arguments(bench: Bench) -> None:
    with pytest.raises(NotPermitted):
        bench.call("lock", {"nonsense": 1}, VIEWER)


# -- arguments --------------------------------------------------------------------------------------------------------


def test_arguments_come_complete_and_by_their_names(bench: Bench) -> None:
    bench.call("lock", {"name": "front", "count": 3, "pin": None})
    assert bench.calls == [("ayu", {"name": "front", "pin": "", "times": 3, "firmly": False})]


def test_all_that_is_wrong_with_the_arguments_at_once(bench: Bench) -> None:
    with pytest.raises(InvalidSettings) as caught:
        bench.call("lock", {"pin": "not digits", "times": 0, "firmly": "yes", "nam": 1})
    assert sorted(fields(caught.value)) == ["firmly", "nam", "name", "pin", "times"]
    assert "nam: is not an argument of lock; did you mean name?" in str(caught.value)
    assert "not digits" not in str(caught.value)
    assert not bench.calls
    assert [(one.outcome, sorted(one.detail.split(", "))) for one in bench.audit] == [
        ("refused", ["firmly", "nam", "name", "pin", "times"])
    ]


@pytest.mark.parametrize("arguments", [[], 5, "name", True])
def test_arguments_are_an_object(bench: Bench, arguments: object) -> None:
    with pytest.raises(InvalidSettings, match="arguments: must be an object"):
        bench.call("lock", arguments)


@pytest.mark.parametrize("name", ["nothing", "", None, 5, ["look"], "__init__", "call"])
def test_what_is_no_operation(bench: Bench, name: object) -> None:
    with pytest.raises(LookupError, match="there is no operation"):
        bench.call(name)


# -- the lock of changes ----------------------------------------------------------------------------------------------


def test_nobody_waits_for_a_change_that_hangs_but_another_change(bench: Bench) -> None:
    thread = threading.Thread(target=bench.call, args=("hang",))
    thread.start()
    try:
        assert bench.hanging.wait(PATIENCE)
        assert bench.call("look") == "done"
        assert bench.call("ring") == "done"
        with pytest.raises(Busy, match="nothing was done"):
            bench.call("lock", {"name": "front"})
        assert len(bench.calls) == 2
        assert thread.is_alive()
    finally:
        bench.go_on.set()
        thread.join(PATIENCE)
    assert bench.call("lock", {"name": "front"}) == "done"


def test_changes_at_the_same_time_are_made_one_after_another(bench: Bench) -> None:
    patient = Registry(bench.registry.operations.values(), tell=bench.audit.append)
    threads = [
        threading.Thread(target=lambda: [patient.call("rush", {}, ADMINISTRATOR) for _ in range(5)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [one.outcome for one in bench.audit] == ["done"] * 40
    assert bench.most_at_once == 1


def test_a_change_that_fails_gives_the_lock_back(bench: Bench) -> None:
    for _ in range(2):
        with pytest.raises(OtpPiError, match="it cannot"):
            bench.call("fail", {"name": "front"})
    assert bench.call("lock", {"name": "front"}) == "done"


# -- one operation by another -----------------------------------------------------------------------------------------


def test_an_operation_that_performs_others_is_one_change(bench: Bench) -> None:
    assert bench.call("both") == ["done", "done", "done"]
    assert [one.operation for one in bench.audit] == ["lock", "ring", "both"]


def test_an_operation_that_reads_only_performs_nothing_else(bench: Bench) -> None:
    with pytest.raises(NotPermitted, match="slip is declared to read only, and ring does more"):
        bench.call("slip")
    assert not bench.calls


# -- the audit --------------------------------------------------------------------------------------------------------


def test_the_audit_knows_who_did_what_and_no_secret(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench.call("look")
    bench.call("lock", {"name": "front", "pin": PIN})
    bench.call("lock", {"name": "x" * 1000, "pin": PIN})
    for name, arguments in (
        ("lock", {"name": "front", "pin": f"{PIN}x", f"more{'e' * 1000}": PIN}),
        ("fail", {"name": "front"}),
    ):
        with pytest.raises(OtpPiError):
            bench.call(name, arguments)
    assert [(one.operation, one.subject[:10], one.outcome) for one in bench.audit] == [
        ("lock", "front", "done"),
        ("lock", "x" * 10, "done"),
        ("lock", "", "refused"),
        ("fail", "", "failed"),
    ]
    for one in bench.audit:
        log_audited(one)
    assert "lock 'front' by pages/ayu at 192.0.2.1, administrator: done" in caplog.text
    assert "fail by pages/ayu at 192.0.2.1, administrator: failed (OtpPiError)" in caplog.text
    assert PIN not in caplog.text
    assert PIN not in repr(bench.audit)
    assert max(map(len, caplog.messages)) < 400


# -- declarations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"name": "Look"}, "snake case"),
        ({"name": ""}, "snake case"),
        ({"title": ""}, "needs a title"),
        ({"help": ""}, "needs a title"),
        ({"reads_only": True, "changes": "locks"}, "reads only"),
        ({"positional": ("nothing",)}, "has no parameter"),
        ({"subject": "nothing"}, "has no parameter"),
        ({"subject": "pin"}, "is secret"),
        ({"command": "a b c"}, "one or two words"),
        ({"command": "--data"}, "one or two words"),
        ({"offline": Offline.ANYWHERE}, "does not only read"),
        ({"command": "look", "default_command": True, "parameters": ()}, "is the default of no group"),
        ({"command": "look at", "default_command": True}, "or has parameters"),
    ],
)
def test_what_cannot_be_declared(wrong: dict[str, Any], reason: str) -> None:
    right: dict[str, Any] = {
        "name": "look",
        "title": "Look",
        "help": "Look.",
        "handler": print,
        "parameters": (text("pin", "PIN", "Secret.", secret=True),),
    }
    Operation(**right)
    with pytest.raises(ValueError, match=reason):
        Operation(**(right | wrong))


@pytest.mark.parametrize(
    "second",
    [{"name": "look"}, {"command": "look at"}, {"command": "look"}, {"command": "look at me"[:4]}],
)
def test_one_that_comes_later_does_not_replace_or_hide_another(
    second: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    first = Operation(name="look", title="Look", help="Look.", handler=lambda call: 1, command="look at")
    values: dict[str, Any] = {"name": "other", "title": "Other", "help": "Other.", "handler": lambda call: 2}
    other = Operation(**(values | second))
    beside = Operation(name="beside", title="Beside", help="Beside.", handler=lambda call: 3, command="look away")
    registry = Registry([first, other, beside])
    assert list(registry.operations) == ["look", "beside"]
    assert registry.call("look", {}, ADMINISTRATOR) == 1
    assert "is left out" in caplog.text


@pytest.mark.parametrize(("default", "handler"), [(True, lambda call: 1), (False, print)])
def test_the_word_of_a_group_means_one_command_and_none_of_another_package(
    default: bool, handler: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    first = Operation(
        name="look", title="Look", help="Look.", handler=handler, command="look at", default_command=default
    )
    more = [
        Operation(name=one, title=one, help=one, handler=lambda call: 2, command=f"look {one}", default_command=alone)
        for one, alone in (("here", True), ("there", False))
    ]
    assert list(Registry([first, *more]).operations) == ["look", "there"]
    assert "here is left out" in caplog.text


def test_an_actor_s_messages_come_in_under_its_name() -> None:
    origin = origin_of(VIEWER)
    assert (origin.ingress, origin.sender.name, origin.address) == ("pages", "ayu", "192.0.2.1")
