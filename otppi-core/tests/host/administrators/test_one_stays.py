"""Whatever is asked of the administrators, in whatever order: one of them can log in and do everything."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otppi.api.errors import OtpPiError
from otppi.api.operations import Role
from otppi.host.administrators.claim import ClaimState
from otppi.host.administrators.settings import ADMINISTRATORS, may_administer
from otppi.testing.accounts import AccountsBench, account

NAMES = ("budi", "rina", "ayu")
SWITCHES = ("remove", "activate", "deactivate", "block", "unblock")
one_name = st.sampled_from(NAMES)
switched = st.tuples(st.sampled_from(SWITCHES), one_name).map(
    lambda one: (f"administrator_{one[0]}", {"username": one[1]})
)
edited = st.tuples(one_name, one_name, st.sampled_from([*Role, ""])).map(
    lambda one: ("administrator_edit", {"username": one[0], "new_username": one[1], "role": one[2] or None})
)
generic = st.one_of(
    one_name.map(lambda name: ("settings_remove", {"path": f"administrators.{name}"})),
    st.tuples(one_name, st.sampled_from(["active", "blocked"]), st.booleans()).map(
        lambda one: ("settings_put", {"path": f"administrators.{one[0]}", "values": {one[1]: one[2]}})
    ),
    st.lists(one_name, unique=True).map(
        lambda names: ("settings_import", {"document": {"administrators": [{"username": name} for name in names]}})
    ),
)
steps = st.lists(st.one_of(switched, edited, generic), max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=steps)
def test_one_administrator_stays(device: AccountsBench, asked: list[tuple[str, dict[str, Any]]]) -> None:
    device.have(*(account(name, active=True, blocked=False) for name in NAMES))
    for name, arguments in asked:
        before = device.data.config.export(secrets=True)
        try:
            device.call(name, **arguments)
        except OtpPiError:
            assert device.data.config.export(secrets=True) == before, "what is refused changes nothing"
        kept = device.data.config.many(ADMINISTRATORS)
        able = [one["username"] for one in kept if may_administer(one)]
        assert able
        assert device.data.claim.state is ClaimState.DONE
        found = [name for name in able if (one := device.administrators.find(name)) and one.role is Role.ADMINISTRATOR]
        assert found == able
