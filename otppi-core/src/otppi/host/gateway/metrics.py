"""The metrics of egresses, modems, brokers, device and process; what they mean is in `otppi.api.metrics`."""

import os
import resource
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from otppi.api.egress import EgressState
from otppi.api.services import Samples
from otppi.host.messages.worker import AnyWorker
from otppi.host.modems.power_supply import SupplyReading
from otppi.host.modems.worker import ModemWorker
from otppi.host.runtime.supervisor import Supervised, ThreadState

_OUTCOMES = ("taken", "done", "never", "again", "malformed")
_HOME, _ROAMING = "home network", "roaming"
"""What registrations begin with that let a modem send (`kit.at.start.REGISTRATIONS`)."""
_SEEN = "_seen"


def label(name: str, value: str) -> str:
    """Write a label as Prometheus has it (exposition format 0.0.4, escaping)."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'


def of_egresses(workers: Sequence[AnyWorker], by_egress: Mapping[tuple[str, str, str], int]) -> Samples:
    """Count what each egress sent and did not, what waits for it, and what it may still send."""
    names = {_egress(worker): worker for worker in workers}
    states = {one: worker.status.state for one, worker in names.items()}
    return {
        "egress_messages_total": {
            f"{label('channel', channel)},{label('name', name)},{label('state', state)}": count
            for (channel, name, state), count in list(by_egress.items())
        },
        "egress_sent_total": {one: worker.sent for one, worker in names.items()},
        "egress_queued": {one: len(worker.queue) for one, worker in names.items()},
        "egress_queue_limit": {one: worker.queue.size for one, worker in names.items()},
        "egress_ready": {one: float(state is EgressState.READY) for one, state in states.items()},
        "egress_usable": {
            one: float(states[one] is EgressState.READY and not worker.account.unusable())
            for one, worker in names.items()
        },
        "egress_state": {
            f"{one},{label('state', state.value)}": float(states[one] is state)
            for one in names
            for state in EgressState
        },
        **_quotas(names),
    }


def _quotas(names: Mapping[str, AnyWorker]) -> Samples:
    limits: dict[str, float] = {}
    left: dict[str, float] = {}
    receivers: dict[str, float] = {}
    for one, worker in names.items():
        known = worker.account.describe()
        for period, key, used in (("day", "daily_quota", "today"), ("month", "monthly_quota", "this_month")):
            if known[key]:
                name = f"{one},{label('period', period)}"
                limits[name] = known[key]
                left[name] = max(0, known[key] - known[used]["segments"] - (known["on_the_way"] or 0))
        if known["monthly_receivers"]:
            receivers[one] = max(0, known["monthly_receivers"] - known["receivers"])
    return {
        "egress_quota_segments": limits,
        "egress_quota_left_segments": left,
        "egress_quota_left_receivers": receivers,
    }


def of_modems(workers: Sequence[ModemWorker], more_of: Callable[[str], Mapping[str, Any]]) -> Samples:
    """Tell network, signal, balance and recoveries of each modem."""
    names = {label("modem", worker.name): worker for worker in workers}
    identities = {one: worker.modem.identity() for one, worker in names.items()}
    ready = {one: worker.status.state is EgressState.READY for one, worker in names.items()}
    told = {one: identity.registration for one, identity in identities.items() if identity.registration}
    balances = {one: more_of(worker.name) for one, worker in names.items()}
    return {
        "modem_info": {f"{one},{label('operator', of.operator)}": 1.0 for one, of in identities.items()},
        "modem_registered": {
            one: float(ready[one] and registration.startswith((_HOME, _ROAMING))) for one, registration in told.items()
        },
        "modem_roaming": {
            one: float(ready[one] and registration.startswith(_ROAMING)) for one, registration in told.items()
        },
        "modem_signal_dbm": {
            one: of.signal_dbm for one, of in identities.items() if of.signal_dbm is not None and ready[one]
        },
        "modem_balance": _known(balances, "balance"),
        "modem_balance_limit": _known(balances, "balance_limit"),
        "modem_balance_read_timestamp_seconds": _known(balances, "balance_read"),
        "modem_recoveries_total": {
            f"{one},{label('step', step.value)}": count
            for one, worker in names.items()
            for step, count in worker.recoverer.counts.items()
        },
        "modem_sent_total": {one: worker.sent for one, worker in names.items()},
        "modem_queued": {one: len(worker.queue) for one, worker in names.items()},
        "modem_ready": {one: float(is_ready) for one, is_ready in ready.items()},
    }


def _known(balances: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, float]:
    return {one: of[key] for one, of in balances.items() if of.get(key) is not None}


def of_brokers(described: Iterable[Mapping[str, Any]]) -> Samples:
    """Tell which brokers are connected, and what they delivered."""
    brokers = {label("ingress", one["name"]): one for one in described}
    return {
        "ingress_connected": {one: float(of["connected"]) for one, of in brokers.items()},
        "ingress_in_flight": {one: of["in_flight"] for one, of in brokers.items() if "in_flight" in of},
        "ingress_parked": {one: of["parked"] for one, of in brokers.items() if "parked" in of},
        "ingress_deliveries_total": {
            f"{one},{label('outcome', outcome)}": of[outcome]
            for one, of in brokers.items()
            for outcome in _OUTCOMES
            if outcome in of
        },
    }


def of_threads(threads: Iterable[Supervised]) -> Samples:
    """Tell which threads run that should, and how often each failed."""
    told = {label("thread", one.name): one.supervision for one in threads if one.started}
    return {
        "thread_running": {one: float(of.state is ThreadState.RUNNING) for one, of in told.items()},
        "thread_failures_total": {one: of.failures for one, of in told.items()},
    }


def of_device(machine: Mapping[str, Any]) -> Samples:
    """Tell memory, storage, temperature and voltage; nothing of what the device does not tell."""
    sizes = {
        f"device_{what}_{of}_bytes": {"": machine[what][key]}
        for what in ("memory", "storage")
        if machine[what] is not None
        for of, key in (("size", "total"), ("available", "free"))
    }
    life, pressure = machine["storage_life_used"], machine["memory_pressure"]
    known = {
        "device_temperature_celsius": machine["temperature"],
        "device_undervoltage": machine["undervoltage"],
        "device_storage_errors": machine["storage_errors"],
        "device_storage_life_used_ratio": None if life is None else life / 100,
        "device_memory_pressure_ratio": None if pressure is None else pressure / 100,
    }
    currents = {label("port", port): float(count) for port, count in machine["usb_over_currents"].items()}
    return {
        **sizes,
        **{name: {"": float(value)} for name, value in known.items() if value is not None},
        "device_usb_over_currents_total": currents,
    }


def of_supply(reading: SupplyReading | None) -> Samples:
    """Tell what the firmware of a Raspberry Pi has against voltage and heat: now, and since it was switched on."""
    told = {} if reading is None else asdict(reading)
    now = {label("reason", name): float(so) for name, so in told.items() if not name.endswith(_SEEN)}
    seen = {label("reason", name.removesuffix(_SEEN)): float(so) for name, so in told.items() if name.endswith(_SEEN)}
    return {"device_throttled": now, "device_throttled_since_start": seen}


def of_process(started: float, folder: Path = Path("/proc/self")) -> Samples:
    """Tell what every Prometheus client tells of its process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int((folder / "statm").read_text("ascii").split()[1])  # proc_pid_statm(5): resident
    return {
        "process_cpu_seconds_total": {"": round(used.ru_utime + used.ru_stime, 6)},
        "process_resident_memory_bytes": {"": pages * os.sysconf("SC_PAGE_SIZE")},
        "process_open_fds": {"": sum(1 for _ in (folder / "fd").iterdir())},
        "process_max_fds": {"": resource.getrlimit(resource.RLIMIT_NOFILE)[0]},
        "process_start_time_seconds": {"": round(started, 3)},
    }


def _egress(worker: AnyWorker) -> str:
    return f"{label('channel', worker.channel.value)},{label('name', worker.shown_name)}"
