"""The whole contract between the host and its plugins.

A plugin is a distribution with an entry point in the group `otppi` that names a module (or object) with functions
marked `@otppi.api.hookimpl`. Hooks are called once, on the main thread, while the gateway starts; what they return are
factories, which the host calls when it needs an instance. A plugin that raises, at import or in a hook, is left out and
shown with its error; the others start.
"""

from collections.abc import Sequence

import pluggy

from otppi.api.clock import ClockWriterType
from otppi.api.ingress import IngressType
from otppi.api.internet import InternetType
from otppi.api.mail import MailType
from otppi.api.media import MediaWatcherType
from otppi.api.modem import ModemType
from otppi.api.operations import Operation
from otppi.api.pages import Page
from otppi.api.services import ServiceType
from otppi.api.settings import Section
from otppi.api.trials import WriterType

PROJECT = "otppi"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def otppi_modem_types() -> Sequence[ModemType]:
    """Return the modem types of this plugin.

    When: once per start, main thread. Raising: the plugin is left out. Keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_mail_types() -> Sequence[MailType]:
    """Return the types of mail accounts of this plugin.

    When: once per start, main thread. Raising: the plugin is left out. Keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_ingress_types() -> Sequence[IngressType]:
    """Return the ingresses of this plugin.

    When: once per start, main thread. Raising: the plugin is left out. Section keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_sections() -> Sequence[Section]:
    """Return sections of settings that belong to the plugin as a whole, and to no type that it brings.

    When: once per start, main thread. Raising: the plugin is left out. Section keys must be unique among the gateway's
    own and those of all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_internet_types() -> Sequence[InternetType]:
    """Return the ways in which this plugin connects modems to the internet; the first one of all plugins is used.

    When: once per start, main thread. Raising: the plugin is left out. Section keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_network_writers() -> Sequence[WriterType]:
    """Return the parts of the device's network that this plugin changes, such as its Ethernet.

    When: once per start, main thread. Raising: the plugin is left out. Section keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_firewall_writers() -> Sequence[WriterType]:
    """Return what changes the device's firewall; the first one of all plugins is used.

    When: once per start, main thread. Raising: the plugin is left out. Section keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_clock_writers() -> Sequence[ClockWriterType]:
    """Return what of this plugin sets the clock of the device; the first one of all plugins is used.

    When: once per start, main thread. Raising: the plugin is left out. Keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_media_watchers() -> Sequence[MediaWatcherType]:
    """Return the ways in which this plugin watches for reset sticks; the first one of all plugins is used.

    When: once per start, main thread. Raising: the plugin is left out. Keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_operations() -> Sequence[Operation]:
    """Return the operations of this plugin: each is a command, and is asked for by the control socket.

    When: once per start, main thread; by a command of `otppi` also where no gateway runs. Raising: the plugin is left
    out. Names must be unique among the gateway's own and those of all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_services() -> Sequence[ServiceType]:
    """Return the services of this plugin: what it does as long as the gateway runs, such as on what events tell.

    When: once per start, main thread; a service is made later, on a thread of its own. Raising: the plugin is left out.
    Keys must be unique among all plugins.
    """
    raise AssertionError("a specification is never called")


@hookspec
def otppi_admin_pages() -> Sequence[Page]:
    """Return the pages that this plugin has in the administration; see `otppi.api.pages` and `otppi.api.blocks`.

    When: once per start, main thread; what makes their contents is called later, on threads of their own, each time
    that somebody looks. Raising: the plugin is left out. Keys must be unique among all pages and the sections of
    settings; the operations that pages have are registered as those of `otppi_operations`.
    """
    raise AssertionError("a specification is never called")
