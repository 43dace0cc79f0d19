"""What CherryPy imports and no page of ours uses: 5 MB that are loaded only where something uses them after all."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any, Final

LATER: Final = ("cheroot.server", "jaraco.text", "portend", "ssl", "xml.sax.saxutils", "zc.lockfile")
"""For its own server, which `otppi.web` stands in for, dictionaries in any case, waiting for ports, TLS of HTTP
clients, links of redirects, sessions in files. They would bring `tempora`, `dateutil`, `zoneinfo`,
`backports.tarfile` and `_pyio`."""
FUNCTIONS: Final = (
    *("cherrypy.lib.auth_digest", "cherrypy.lib.static", "cherrypy.lib.xmlrpcutil"),
    "more_itertools",
)
"""Tools that no page turns on, and what redirects and the bus of its own server use. They would bring `urllib.request`,
`xmlrpc`, `decimal`, `xml.parsers.expat`, and the system's table of types of files."""
NEVER: Final = ("pydoc",)
"""For `help(cherrypy.request)`; CherryPy does without where there is none."""


@contextmanager
def left_for_later() -> Iterator[None]:
    """Have CherryPy loaded without them, within a block.

    Those of `LATER` are loaded by the first look at one of their names (`importlib.util.LazyLoader`), those of
    `FUNCTIONS` by the first call of one.
    """
    finder = _Later()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        finder.clear()


class _Later(MetaPathFinder):
    """Finds modules as Python does, but for how they are loaded."""

    def __init__(self) -> None:
        self._functions = _FunctionsLoader()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find what is loaded later.

        Raises:
            ModuleNotFoundError: It is never loaded.
        """
        if fullname in NEVER:
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)
        if fullname in FUNCTIONS:
            return ModuleSpec(fullname, self._functions)
        spec = PathFinder.find_spec(fullname, path, target) if fullname in LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec

    def clear(self) -> None:
        """Take away what stands in: whoever imports one of the modules from now on gets the module itself."""
        for one in self._functions.made:
            package, _, name = one.rpartition(".")
            del sys.modules[one]
            if package:
                delattr(sys.modules[package], name)


class _FunctionsLoader(Loader):
    """Makes what stands in for modules of functions."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make it."""
        self.made.append(spec.name)
        return _Functions(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: there is all that is asked of it."""


class _Functions(ModuleType):
    """A module of functions, each of which loads the module itself when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def function(*args: Any, **kwargs: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*args, **kwargs)

        return function
