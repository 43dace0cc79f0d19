"""Owns the table of faults that real modems were seen with."""

from otppi.simulator.faults.device import DEVICE_FAULTS
from otppi.simulator.faults.inbox import INBOX_FAULTS
from otppi.simulator.faults.line import LINE_FAULTS
from otppi.simulator.faults.reports import REPORT_FAULTS
from otppi.simulator.faults.usb import USB_FAULTS
from otppi.simulator.faults.ussd import USSD_FAULTS

FAULTS = dict(
    sorted(
        (LINE_FAULTS | REPORT_FAULTS | INBOX_FAULTS | DEVICE_FAULTS | USB_FAULTS | USSD_FAULTS).items(),
        key=lambda item: item[1].row,
    )
)
"""Every fault by name; the number is its row in the project's table of what real modems do."""
