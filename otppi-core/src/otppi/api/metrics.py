"""The metrics that the gateway counts: their names, kinds, labels and meanings, as Prometheus has them.

They follow its naming guide: base units in the name, `_total` for what only grows. Each label has few values: names out
of the settings, and words of ours; never a receiver, a sender or an address, of which there may be any number.
"""

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """What the number of a metric is (Prometheus' exposition formats, TYPE)."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that the gateway itself counts.

    Attributes:
        name: Its full name.
        kind: What its number is.
        labels: What tells its numbers apart; of a histogram without `le`.
        help: What it means, in one sentence without an end mark.
    """

    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    help: str


_C, _G, _H = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.HISTOGRAM
_EGRESS, _MODEM, _INGRESS = ("channel", "name"), ("modem",), ("ingress",)

_MESSAGES = (
    Metric("otppi_messages_taken_total", _C, _INGRESS, "Messages that were taken in, each once"),
    Metric(
        "otppi_messages_total",
        _C,
        ("state", "ingress"),
        "Messages that came to a state; one that was delivered was sent before, and is in both",
    ),
    Metric(
        "otppi_message_failures_total",
        _C,
        ("channel", "cause"),
        "Messages that did not arrive, or may not have: by response code, or by the number that the modem gave",
    ),
    Metric(
        "otppi_message_sent_seconds",
        _H,
        ("channel", "priority"),
        "Seconds from taking a message in until the network had accepted it",
    ),
)
_EGRESSES = (
    Metric("otppi_egress_messages_total", _C, (*_EGRESS, "state"), "Messages that came to a state by this egress"),
    Metric("otppi_egress_sent_total", _C, _EGRESS, "Messages that it has sent since it was set up the last time"),
    Metric("otppi_egress_queued", _G, _EGRESS, "Messages that wait for it"),
    Metric("otppi_egress_queue_limit", _G, _EGRESS, "Messages of one priority that may wait for it"),
    Metric("otppi_egress_ready", _G, _EGRESS, "1 while it can send"),
    Metric("otppi_egress_usable", _G, _EGRESS, "1 while it can send and no quota or quiet hours keep it from that"),
    Metric("otppi_egress_state", _G, (*_EGRESS, "state"), "1 for the state that it is in, 0 for the others"),
    Metric("otppi_egress_quota_segments", _G, (*_EGRESS, "period"), "Segments that it may send in a day or a month"),
    Metric("otppi_egress_quota_left_segments", _G, (*_EGRESS, "period"), "What is left of that in this day or month"),
    Metric("otppi_egress_quota_left_receivers", _G, _EGRESS, "Further receivers that it may send to in this month"),
)
_MODEMS = (
    Metric("otppi_modem_info", _G, ("modem", "operator"), "1, with the operator whose network it is in"),
    Metric("otppi_modem_registered", _G, _MODEM, "1 while it is in a network; not there where it does not tell"),
    Metric("otppi_modem_roaming", _G, _MODEM, "1 while that is not its own operator's"),
    Metric("otppi_modem_signal_dbm", _G, _MODEM, "Strength of its signal in dBm"),
    Metric("otppi_modem_balance", _G, _MODEM, "Balance of its SIM card, in the operator's currency"),
    Metric("otppi_modem_balance_limit", _G, _MODEM, "Balance below which it is low; 0 where none is set"),
    Metric("otppi_modem_balance_read_timestamp_seconds", _G, _MODEM, "When the balance was read, in Unix time"),
    Metric("otppi_modem_recoveries_total", _C, ("modem", "step"), "Steps that were taken to have it work again"),
    Metric("otppi_modem_sent_total", _C, _MODEM, "As otppi_egress_sent_total"),
    Metric("otppi_modem_queued", _G, _MODEM, "As otppi_egress_queued"),
    Metric("otppi_modem_ready", _G, _MODEM, "As otppi_egress_ready"),
)
_INGRESSES = (
    Metric("otppi_ingress_connected", _G, _INGRESS, "1 while its broker is connected"),
    Metric("otppi_ingress_in_flight", _G, _INGRESS, "Deliveries of its broker that have not come to their end"),
    Metric("otppi_ingress_parked", _G, _INGRESS, "Deliveries that cannot be sent now, and are tried again"),
    Metric(
        "otppi_ingress_deliveries_total",
        _C,
        ("ingress", "outcome"),
        "Deliveries of its broker: taken, and of these done, never to be sent, given back, malformed",
    ),
    Metric("otppi_rest_requests_total", _C, ("code",), "Requests to the REST API, by the HTTP status of the answer"),
    Metric("otppi_rest_connections", _G, (), "Open connections to the REST API"),
    Metric("otppi_rest_threads", _G, (), "Threads that answer its requests"),
    Metric("otppi_rest_waiting_requests", _G, (), "Requests that wait for a message to come to its end"),
)
_GATEWAY = (
    Metric("otppi_build_info", _G, ("version",), "1, with the version of the gateway"),
    Metric("otppi_warnings", _G, (), "Sentences that the gateway has for people now, as `otppi status` shows them"),
    Metric("otppi_alarms_raised", _G, ("condition",), "Alarms of a condition that are raised now"),
    Metric("otppi_thread_running", _G, ("thread",), "1 while one of its threads runs, 0 where it failed or is blocked"),
    Metric("otppi_thread_failures_total", _C, ("thread",), "How often one of its threads failed, or was blocked"),
    Metric("otppi_logins_failed_total", _C, ("reason",), "Logins of senders that failed"),
    Metric("otppi_administrator_logins_failed_total", _C, ("reason",), "Logins to the pages that failed"),
    Metric("otppi_otp_total", _C, ("result",), "One-time passwords: requested, refused, and how they were verified"),
    Metric("otppi_otp_open", _G, (), "One-time passwords that may still be verified"),
)
_DEVICE = (
    Metric("otppi_device_memory_size_bytes", _G, (), "Memory of the device"),
    Metric("otppi_device_memory_available_bytes", _G, (), "Memory that programs may still use"),
    Metric("otppi_device_storage_size_bytes", _G, (), "Size of the storage that the data folder is on"),
    Metric("otppi_device_storage_available_bytes", _G, (), "What is left of it"),
    Metric("otppi_device_temperature_celsius", _G, (), "Temperature of the processor"),
    Metric("otppi_device_undervoltage", _G, (), "1 while a Raspberry Pi gets too little voltage"),
    Metric("otppi_device_throttled", _G, ("reason",), "1 while a Raspberry Pi is short of voltage, or too hot"),
    Metric("otppi_device_throttled_since_start", _G, ("reason",), "1 where it was so since it was switched on"),
    Metric("otppi_device_memory_pressure_ratio", _G, (), "Share of the last minute in which one waited for memory"),
    Metric("otppi_device_storage_errors", _G, (), "Errors that the file systems of the device have noted"),
    Metric("otppi_device_storage_life_used_ratio", _G, (), "Share of its life that the card has used, where it tells"),
    Metric(
        "otppi_device_usb_over_currents_total", _C, ("port",), "How often a USB port was cut off for too much current"
    ),
    Metric("otppi_clock_trusted", _G, (), "1 where a server, a person or a battery has told the device the time"),
    Metric("otppi_clock_synchronized", _G, (), "1 where a time server has answered within two hours"),
    Metric("otppi_clock_offset_seconds", _G, (), "By how much the clock was ahead of the server's at its last answer"),
    Metric("process_cpu_seconds_total", _C, (), "Processor time that the gateway has used"),
    Metric("process_resident_memory_bytes", _G, (), "Memory that the gateway holds"),
    Metric("process_open_fds", _G, (), "File descriptors that it has open"),
    Metric("process_max_fds", _G, (), "File descriptors that it may have open"),
    Metric("process_start_time_seconds", _G, (), "When it was started, in Unix time"),
)

METRICS = (*_MESSAGES, *_EGRESSES, *_MODEMS, *_INGRESSES, *_GATEWAY, *_DEVICE)
"""All of them, in the order of the documentation; services of plugins count further ones, under their own names."""
