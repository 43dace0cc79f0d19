"""The table of nftables: its text, made of numbers alone (nft(8)).

What is on trial is in sets whose elements have a timeout: the kernel takes them out by itself, whoever has died
meanwhile. A port that is opened on trial is in `trial_…` so long; one that is closed on trial is in `closed_…`, which
is asked before the others, and stays among the open ones.
"""

import math
from collections.abc import Iterable
from typing import Final

from otppi_firewall_nftables.ports import Gate, Ports, Side

WIRELESS: Final = "wlan0"
"""The interface of the access point, as in the card image."""

_TABLE: Final = """\
table inet otppi
delete table inet otppi
table inet otppi {{
{sets}
  chain input {{
    type filter hook input priority filter; policy drop;
    ct state vmap {{ established : accept, related : accept, invalid : drop }}
    iif "lo" accept
    icmp type echo-request limit rate 10/second accept
    meta l4proto ipv6-icmp accept
    # An operator's network has strangers in it: nothing is open there.
    iifname {{ "ppp*", "wwan*" }} drop
    udp dport {{ 68, 546, 5353 }} accept
    iifname "{wireless}" goto access_point
    goto lan
  }}
  chain access_point {{
    udp dport {{ 53, 67 }} accept
    tcp dport 53 accept
    meta l4proto . th dport @closed_access_point drop
    meta l4proto . th dport @trial_access_point accept
    meta l4proto . th dport @open_access_point accept
  }}
  chain lan {{
    meta l4proto . th dport @closed_lan drop
    meta l4proto . th dport @trial_lan accept
    meta l4proto . th dport @open_lan accept
  }}
  # Nothing is forwarded: who joins the access point gets no way to the LAN.
  chain forward {{
    type filter hook forward priority filter; policy drop;
  }}
{portal}}}
"""
_SET: Final = """\
  set {name} {{
    type inet_proto . inet_service
{flags}{elements}  }}
"""
_PORTAL: Final = """\
  # Phones look for pages that ask them to log in at port 80, which leads to the device's own; not where it is open.
  chain portal {{
    type nat hook prerouting priority dstnat;
    iifname != "{wireless}" return
    meta l4proto . th dport @trial_access_point return
    meta l4proto . th dport != @closed_access_point meta l4proto . th dport @open_access_point return
    fib daddr type local tcp dport 80 redirect to :{page}
  }}
"""


def table(kept: Ports, trial: Ports | None = None, seconds: float = 0.0) -> str:
    """Return the text that replaces the whole table, in one transaction of `nft -f`.

    Args:
        kept: What is in use when nothing is on trial.
        trial: What is in use meanwhile.
        seconds: How much longer.
    """
    before = kept.open()
    meanwhile = before if trial is None else trial.open()
    timeout = f" timeout {max(1, math.ceil(seconds * 1000))}ms"
    sets = []
    for side in Side:
        sets += [
            _set("open", side, before),
            _set("trial", side, meanwhile - before, timeout),
            _set("closed", side, before - meanwhile, timeout),
        ]
    portal = "" if kept.page is None else _PORTAL.format(wireless=WIRELESS, page=kept.page)
    return _TABLE.format(sets="".join(sets).rstrip("\n"), wireless=WIRELESS, portal=portal)


def _set(name: str, side: Side, gates: Iterable[Gate], timeout: str = "") -> str:
    own = sorted(gate for gate in gates if gate.side is side)
    elements = ", ".join(f"{gate.protocol} . {gate.port}{timeout}" for gate in own)
    return _SET.format(
        name=f"{name}_{side}",
        flags="    flags timeout\n" if timeout else "",
        elements=f"    elements = {{ {elements} }}\n" if own else "",
    )
