"""Which modem sends a message: properties of the pure function, and turns."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from otppi.host.messages.routing import Target, choose

RECEIVER = "6281234567890"
PREFIXES = st.lists(st.sampled_from(["6", "62", "6281", "62812", "628123", "63", "6289"]), max_size=3).map(tuple)
TARGETS = st.lists(
    st.builds(
        Target,
        name=st.just(""),
        prefixes=PREFIXES,
        default=st.booleans(),
        ready=st.booleans(),
        unfit=st.booleans(),
        load=st.integers(0, 3),
        turn=st.integers(0, 5),
        usable=st.booleans(),
        held=st.booleans(),
        price=st.sampled_from([0.0, 0.5, 50.0]),
    ),
    max_size=6,
).map(lambda targets: [replace(target, name=str(number)) for number, target in enumerate(targets)])


def target(name: str, *prefixes: str, **values: bool | float) -> Target:
    base = Target(name, prefixes, default=False, ready=True, unfit=False, load=0)
    return replace(base, **values)  # type: ignore[arg-type]


def names(targets: list[Target], **options: bool) -> str:
    return "".join(chosen.name for chosen in choose(targets, RECEIVER, **options))


def matched(one: Target) -> int:
    return max((len(prefix) for prefix in one.prefixes if RECEIVER.startswith(prefix)), default=0)


@given(TARGETS)
def test_with_fail_over_every_usable_modem_is_there_once(targets: list[Target]) -> None:
    chosen = choose(targets, RECEIVER)
    assert sorted(one.name for one in chosen) == [one.name for one in targets if one.usable]


@given(TARGETS)
def test_what_works_goes_first_and_among_that_the_cheapest(targets: list[Target]) -> None:
    chosen = [(not one.ready, one.unfit, one.held, one.price) for one in choose(targets, RECEIVER)]
    assert chosen == sorted(chosen)


@given(TARGETS)
def test_among_those_that_work_the_longest_prefix_wins(targets: list[Target]) -> None:
    targets = [replace(one, price=0.0) for one in targets]
    working = [one for one in targets if one.usable and one.ready and not one.unfit and not one.held]
    if working:
        assert matched(choose(targets, RECEIVER)[0]) == max(map(matched, working))


@given(TARGETS)
def test_without_fail_over_only_the_modems_that_are_named(targets: list[Target]) -> None:
    chosen = choose(targets, RECEIVER, fail_over=False)
    assert len({(matched(one), one.default and not matched(one)) for one in chosen}) <= 1
    assert all(matched(one) or one.default or not one.prefixes for one in chosen)
    if chosen and any(map(matched, targets)):
        assert {matched(one) for one in chosen} == {max(map(matched, targets))}


@given(TARGETS, st.permutations(range(6)))
def test_the_choice_does_not_depend_on_the_order_of_the_settings(targets: list[Target], order: list[int]) -> None:
    distinct = [replace(one, turn=number) for number, one in enumerate(targets)]
    shuffled = [distinct[index] for index in order if index < len(distinct)]
    assert choose(distinct, RECEIVER) == choose(shuffled, RECEIVER)


def test_tiers() -> None:
    modems = [target("o", "63"), target("w"), target("d", "63", default=True), target("s", "62"), target("l", "62812")]
    assert names(modems) == "lsdwo"
    assert names(modems, fail_over=False) == "l"
    assert names(modems[:3], fail_over=False) == "d"
    assert names(modems[:2], fail_over=False) == "w"
    assert names(modems[:1], fail_over=False) == ""
    assert names([replace(modems[4], usable=False), *modems[:4]], fail_over=False) == ""


def test_the_shortest_queue_goes_first_and_equals_take_turns() -> None:
    modems = [target("a", load=2), target("b", load=1), target("c", load=1)]
    assert names(modems) == "bca"
    used = []
    modems = [target(name) for name in "abcd"] + [target("x", "63")]
    for turn in range(1, 9):
        first = choose(modems, RECEIVER)[0]
        used.append(first.name)
        modems = [replace(one, turn=turn) if one is first else one for one in modems]
    assert "".join(used) == "abcdabcd"
