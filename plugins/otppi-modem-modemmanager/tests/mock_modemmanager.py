# mypy: disable-error-code="untyped-decorator"
# ruff: noqa: N802 - the methods have the names that they have on the bus
"""A template for python-dbusmock: its ModemManager, with what that lacks: Messaging, Sms, Ussd, Sim, and faults.

Names, types, states and errors are those of ModemManager's introspection XML and of its sources `mm-base-sms.c`,
`mm-iface-modem-messaging.c`, `mm-iface-modem-3gpp-ussd.c`, `mm-base-sim.c`. Runs in a process of its own.
"""

import os
from collections.abc import Callable
from typing import Any

import dbus
import dbus.service
from dbusmock import MOCK_IFACE, OBJECT_MANAGER_IFACE, mockobject
from dbusmock.templates import modemmanager as stock

BUS_NAME, MAIN_OBJ, MAIN_IFACE = stock.BUS_NAME, stock.MAIN_OBJ, stock.MAIN_IFACE
SYSTEM_BUS, IS_OBJECT_MANAGER = True, False

MODEM, THREEGPP, SIM = stock.MODEM_IFACE, stock.MODEM_3GPP_IFACE, stock.SIM_IFACE
MESSAGING = f"{MODEM}.Messaging"
USSD = f"{THREEGPP}.Ussd"
SMS = f"{MAIN_IFACE}.Sms"

LOCKED, DISABLED, ENABLING, ENABLED, REGISTERED = 2, 3, 5, 6, 8
KEYS = {"number", "text", "data", "smsc", "validity", "class", "delivery-report-request"}

Callback = Callable[..., None]

scripts: dict[str, list[str]] = {}
"""What becomes of the next calls of a method: "ok", "hold", "die", "error NAME", or for USSD "text …", "ask …"."""
held: list[tuple[Callback, Callback, Any]] = []
"""Replies that are kept back, and what they are about."""
log: list[str] = []
"""What was asked for, in order, without texts."""
created: list[dict[str, Any]] = []
counter = {"modem": 0, "sms": 0, "sim": 0, "reference": 41}


def failure(name: str, text: str = "made up") -> dbus.DBusException:
    domain = "" if name.startswith("org.") else f"{MAIN_IFACE}.Error."
    return dbus.DBusException(text, name=domain + name)


def step(method: str) -> str:
    log.append(method)
    steps = scripts.get(method)
    found = steps.pop(0) if steps else "ok"
    if found == "die":
        os._exit(1)
    if found.startswith("error "):
        name, _, text = found.removeprefix("error ").partition(" ")
        raise failure(name, text or "made up")
    return found


class Modem(mockobject.DBusMockObject):  # type: ignore[misc]
    """One modem; `mock_data` are the options of AddModem."""

    def add_interfaces(self) -> None:
        """Show what ModemManager shows of an unlocked modem only."""
        self.AddProperties(
            THREEGPP,
            {
                "Imei": dbus.String(self.props[MODEM]["EquipmentIdentifier"]),
                "RegistrationState": dbus.UInt32(0),
                "OperatorName": dbus.String(""),
                "EnabledFacilityLocks": dbus.UInt32(1 if self.mock_data.get("pin") else 0),
            },
        )
        self.AddProperties(MESSAGING, {"Messages": dbus.Array([], "o"), "SupportedStorages": dbus.Array([1], "u")})
        self.AddProperties(
            USSD,
            {
                "State": dbus.UInt32(1),
                "NetworkNotification": dbus.String(""),
                "NetworkRequest": dbus.String(""),
            },
        )

    def state_at_least(self, least: int) -> None:
        if self.props[MODEM]["State"] < least:
            raise failure("Core.WrongState")

    def change(self, interface: str, **values: Any) -> None:
        self.UpdateProperties(interface, values)

    @dbus.service.method(MODEM, in_signature="b", out_signature="")
    def Enable(self, enable: bool) -> None:
        found = step(f"Enable {bool(enable)}")
        self.state_at_least(DISABLED)
        if not enable:
            self.change(MODEM, State=dbus.Int32(DISABLED))
            self.change(THREEGPP, RegistrationState=dbus.UInt32(0))
            return
        self.change(MODEM, State=dbus.Int32(ENABLING))
        if found == "searching":
            self.change(MODEM, State=dbus.Int32(7))
            self.change(THREEGPP, RegistrationState=dbus.UInt32(2))
            return
        self.change(THREEGPP, RegistrationState=dbus.UInt32(1), OperatorName=dbus.String("Made-up Mobile"))
        self.change(MODEM, State=dbus.Int32(REGISTERED), SignalQuality=dbus.Struct((dbus.UInt32(50), True)))

    @dbus.service.method(MODEM, in_signature="u", out_signature="")
    def SetPowerState(self, state: int) -> None:
        step(f"SetPowerState {int(state)}")

    @dbus.service.method(MODEM, in_signature="", out_signature="")
    def Reset(self) -> None:
        step("Reset")
        remove_modem(self.path)
        add_modem(self.mock_data)

    @dbus.service.method(MESSAGING, in_signature="", out_signature="ao")
    def List(self) -> Any:
        self.state_at_least(ENABLED)
        return dbus.Array(sms_paths(self), "o")

    @dbus.service.method(MESSAGING, in_signature="a{sv}", out_signature="o")
    def Create(self, properties: dict[str, Any]) -> str:
        step("Create")
        self.state_at_least(ENABLED)
        if not set(properties) <= KEYS or not {"number", "text"} <= set(properties):
            raise failure("Core.InvalidArgs")
        created.append(dict(properties))
        values = {
            "State": dbus.UInt32(0),
            "PduType": dbus.UInt32(2),
            "Number": properties["number"],
            "Text": properties["text"],
            "MessageReference": dbus.UInt32(0),
        }
        return add_sms(self, values, received=False)

    @dbus.service.method(MESSAGING, in_signature="o", out_signature="")
    def Delete(self, path: str) -> None:
        step("Delete")
        if path not in sms_paths(self):
            raise failure("Core.NotFound")
        self.RemoveObject(path)
        self.EmitSignal(MESSAGING, "Deleted", "o", [dbus.ObjectPath(path)])

    @dbus.service.method(USSD, in_signature="s", out_signature="s", async_callbacks=("reply", "fail"))
    def Initiate(self, command: str, reply: Callback, fail: Callback) -> None:
        self.ussd("Initiate", 1, reply, fail)

    @dbus.service.method(USSD, in_signature="s", out_signature="s", async_callbacks=("reply", "fail"))
    def Respond(self, response: str, reply: Callback, fail: Callback) -> None:
        self.ussd("Respond", 3, reply, fail)

    def ussd(self, method: str, state: int, reply: Callback, fail: Callback) -> None:
        try:
            if self.props[USSD]["State"] != state:
                raise failure("Core.WrongState")
            found = step(method)
        except dbus.DBusException as error:
            fail(error)
            return
        self.change(USSD, State=dbus.UInt32(2))
        if found == "hold":
            held.append((reply, fail, self))
        else:
            self.answer(found, reply)

    def answer(self, found: str, reply: Callback) -> None:
        kind, _, text = found.partition(" ")
        reply(text)  # ModemManager's signal may come after its answer
        self.change(USSD, State=dbus.UInt32(3 if kind == "ask" else 1))

    @dbus.service.method(USSD, in_signature="", out_signature="")
    def Cancel(self) -> None:
        step("Cancel")
        self.change(USSD, State=dbus.UInt32(1))
        while held:
            held.pop()[1](failure("Core.Aborted"))


class Sms(mockobject.DBusMockObject):  # type: ignore[misc]
    """One message; `mock_data` is its modem."""

    @dbus.service.method(SMS, in_signature="", out_signature="", async_callbacks=("reply", "fail"))
    def Send(self, reply: Callback, fail: Callback) -> None:
        try:
            found = step("Send")
        except dbus.DBusException as error:
            fail(error)
            return
        if self.props[SMS]["State"] != 0:
            fail(failure("Core.Failed"))
        elif found == "hold":
            held.append((reply, fail, self))
        else:
            self.sent(reply)

    def sent(self, reply: Callback) -> None:
        counter["reference"] += 1
        values = {"State": dbus.UInt32(5), "MessageReference": dbus.UInt32(counter["reference"])}
        reply()
        if self.path in mockobject.objects:
            self.UpdateProperties(SMS, values)


class Sim(mockobject.DBusMockObject):  # type: ignore[misc]
    """The SIM; `mock_data` is its modem."""

    def lock(self, kind: int, left: int | None) -> None:
        retries = dict(self.mock_data.props[MODEM]["UnlockRetries"])
        if left is not None:
            retries[dbus.UInt32(2 if kind in (1, 2) else kind)] = dbus.UInt32(left)
        self.mock_data.change(
            MODEM, UnlockRequired=dbus.UInt32(kind), UnlockRetries=dbus.Dictionary(retries, signature="uu")
        )

    def compare(self, pin: str) -> None:
        """Count a wrong PIN; at the third, ask for the PUK."""
        modem = self.mock_data
        left = int(modem.props[MODEM]["UnlockRetries"][2])
        if pin == modem.mock_data["pin"]:
            return
        self.lock(int(modem.props[MODEM]["UnlockRequired"]), left - 1)
        if left == 1:
            self.lock(4, 10)
            raise failure("MobileEquipment.SimPuk")
        raise failure("MobileEquipment.IncorrectPassword")

    def unlocked(self) -> None:
        modem = self.mock_data
        self.lock(1, 3)
        modem.add_interfaces()
        manager().EmitSignal(
            OBJECT_MANAGER_IFACE, "InterfacesAdded", "oa{sa{sv}}", [dbus.ObjectPath(modem.path), modem.props]
        )
        modem.change(MODEM, State=dbus.Int32(DISABLED))

    @dbus.service.method(SIM, in_signature="s", out_signature="")
    def SendPin(self, pin: str) -> None:
        step("SendPin")
        self.compare(pin)
        self.unlocked()

    @dbus.service.method(SIM, in_signature="ss", out_signature="")
    def SendPuk(self, puk: str, pin: str) -> None:
        step("SendPuk")
        if puk != self.mock_data.mock_data["puk"]:
            raise failure("MobileEquipment.IncorrectPassword")
        self.mock_data.mock_data["pin"] = str(pin)
        self.unlocked()

    @dbus.service.method(SIM, in_signature="ss", out_signature="")
    def ChangePin(self, old: str, new: str) -> None:
        step("ChangePin")
        self.compare(old)
        self.mock_data.mock_data["pin"] = str(new)

    @dbus.service.method(SIM, in_signature="sb", out_signature="")
    def EnablePin(self, pin: str, enabled: bool) -> None:
        step(f"EnablePin {bool(enabled)}")
        self.compare(pin)
        self.mock_data.change(THREEGPP, EnabledFacilityLocks=dbus.UInt32(enabled))


def manager() -> Any:
    return mockobject.objects[MAIN_OBJ]


def sms_paths(modem: Modem) -> list[str]:
    return [path for path, one in mockobject.objects.items() if isinstance(one, Sms) and one.mock_data is modem]


def add_sms(modem: Modem, values: dict[str, Any], *, received: bool) -> str:
    counter["sms"] += 1
    path = f"{MAIN_OBJ}/SMS/{counter['sms']}"
    manager().AddObject(path, SMS, values, [], mock_class=Sms, mock_data=modem)
    modem.EmitSignal(MESSAGING, "Added", "ob", [dbus.ObjectPath(path), dbus.Boolean(received)])
    return path


def add_modem(options: dict[str, Any]) -> str:
    counter["modem"] += 1
    path = f"{MAIN_OBJ}/Modems/{counter['modem']}"
    sim_path = f"{MAIN_OBJ}/SIM/{counter['modem']}"
    locked = bool(options.get("locked", False))
    properties = {
        "State": dbus.Int32(LOCKED if locked else DISABLED),
        "StateFailedReason": dbus.UInt32(0),
        "Manufacturer": dbus.String("Made-up"),
        "Model": dbus.String("MM-1"),
        "Revision": dbus.String("1.0"),
        "EquipmentIdentifier": dbus.String(options.get("imei", "")),
        "PrimaryPort": dbus.String("cdc-wdm0"),
        "Ports": dbus.Array([(str(options.get("port", "ttyUSB0")), dbus.UInt32(3))], signature="(su)"),
        "UnlockRequired": dbus.UInt32(2 if locked else 1),
        "UnlockRetries": dbus.Dictionary({2: 3, 4: 10}, signature="uu"),
        "SignalQuality": dbus.Struct((dbus.UInt32(0), False)),
        "Sim": dbus.ObjectPath(sim_path),
    }
    manager().AddObject(path, MODEM, properties, [], mock_class=Modem, mock_data=options)
    modem = mockobject.objects[path]
    if not locked:
        modem.add_interfaces()
    sim = {"SimIdentifier": dbus.String("8962000000000000017"), "Imsi": dbus.String("510010000000001")}
    manager().AddObject(sim_path, SIM, sim, [], mock_class=Sim, mock_data=modem)
    arguments = [dbus.ObjectPath(path), modem.props]
    manager().EmitSignal(OBJECT_MANAGER_IFACE, "InterfacesAdded", "oa{sa{sv}}", arguments)
    return path


def remove_modem(path: str) -> None:
    modem = mockobject.objects[path]
    for one in sms_paths(modem):
        modem.RemoveObject(one)
    modem.RemoveObject(modem.props[MODEM]["Sim"])
    interfaces = dbus.Array(list(modem.props), "s")
    modem.RemoveObject(path)
    manager().EmitSignal(OBJECT_MANAGER_IFACE, "InterfacesRemoved", "oas", [dbus.ObjectPath(path), interfaces])
    while held:
        held.pop()[1](failure("Core.Cancelled"))


def load(mock: Any, parameters: dict[str, Any]) -> None:
    stock.load(mock, parameters)


# -- what a test asks for, on the main object --------------------------------------------------------------------------


@dbus.service.method(MOCK_IFACE, in_signature="a{sv}", out_signature="o")
def AddModem(self: Any, options: dict[str, Any]) -> str:
    return add_modem({str(key): value for key, value in options.items()})


@dbus.service.method(MOCK_IFACE, in_signature="o", out_signature="")
def RemoveModem(self: Any, path: str) -> None:
    remove_modem(path)


@dbus.service.method(MOCK_IFACE, in_signature="", out_signature="")
def StartAnew(self: Any) -> None:
    for path in [path for path, one in mockobject.objects.items() if isinstance(one, Modem)]:
        remove_modem(path)
    scripts.clear()
    log.clear()
    created.clear()


@dbus.service.method(MOCK_IFACE, in_signature="sas", out_signature="")
def Script(self: Any, method: str, steps: list[str]) -> None:
    scripts[str(method)] = [str(one) for one in steps]


@dbus.service.method(MOCK_IFACE, in_signature="s", out_signature="")
def Release(self: Any, found: str) -> None:
    """Return the reply that is kept back: "ok", "error NAME", or the answer to USSD."""
    reply, fail, about = held.pop(0)
    if found.startswith("error "):
        if isinstance(about, Modem):
            about.change(USSD, State=dbus.UInt32(1))
        fail(failure(found.removeprefix("error ")))
    elif isinstance(about, Modem):
        about.answer(found, reply)
    else:
        about.sent(reply)


@dbus.service.method(MOCK_IFACE, in_signature="oa{sv}", out_signature="o")
def Receive(self: Any, modem: str, values: dict[str, Any]) -> str:
    return add_sms(mockobject.objects[modem], {str(key): value for key, value in values.items()}, received=True)


@dbus.service.method(MOCK_IFACE, in_signature="o", out_signature="ao")
def Kept(self: Any, modem: str) -> Any:
    return dbus.Array(sms_paths(mockobject.objects[modem]), "o")


@dbus.service.method(MOCK_IFACE, in_signature="", out_signature="as")
def Log(self: Any) -> Any:
    return dbus.Array(log, "s")


@dbus.service.method(MOCK_IFACE, in_signature="", out_signature="aa{sv}")
def Created(self: Any) -> Any:
    return dbus.Array(created, "a{sv}")
