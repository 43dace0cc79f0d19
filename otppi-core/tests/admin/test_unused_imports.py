"""What is left out of CherryPy: no page uses it, so that it is never loaded; in a process that nothing else ran in."""

import subprocess
import sys
from pathlib import Path

from otppi.admin.unused_imports import LATER, NEVER
from otppi.testing.waiting import PATIENCE

_WALK = """
import re, sys
from pathlib import Path
from otppi.admin.unused_imports import LATER, NEVER, FUNCTIONS, left_for_later
with left_for_later():
    import otppi.admin.application
from otppi.api.operations import Role
from otppi.testing.site import Site
site = Site(Path(sys.argv[1]), claimed=True)
browser, seen, ahead = site.inside(Role.ADMINISTRATOR), set(), ["/", "/nowhere"]
while ahead:
    seen.add(path := ahead.pop())
    answer = browser.get(path)
    assert answer.status in (200, 302, 303, 404), (path, answer.status)
    links = re.findall(r'href="(/[^"#]*)"', answer.text)
    ahead += {one.replace("&amp;", "&") for one in links if not one.startswith("/static")} - seen - set(ahead)
assert browser.post("/settings/sms/save", {}).status < 500
assert browser.post("/logout").status == 303
site.close()
print(len(seen))
print(*[name for name in LATER if type(sys.modules[name]).__name__ == "_LazyModule"])
print(*[name for name in (*NEVER, *FUNCTIONS) if name in sys.modules])
"""

_OF_QR_CODES = {"ssl", "xml.sax.saxutils"}
"""What segno imports, too, which draws the code of two-step login."""


def test_no_page_uses_what_is_left_out(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WALK, str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert ended.returncode == 0, ended.stderr
    pages, unused, loaded = ended.stdout.split("\n")[:3]
    assert int(pages) > 20
    assert set(unused.split()) == set(LATER) - _OF_QR_CODES
    assert loaded == ""


def test_what_is_left_for_later_is_there_when_it_is_used_and_others_are_found_as_ever() -> None:
    script = (
        "import sys; from otppi.admin.unused_imports import left_for_later\n"
        "with left_for_later():\n"
        "    import portend, decimal, importlib.machinery\n"
        "    try:\n        import pydoc\n    except ImportError as error:\n        print(error.name)\n"
        "    print(type(portend).__name__, type(decimal).__name__)\n"
        "import pydoc\n"
        "print(portend.Timeout.__name__, 'tempora' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    first, kinds, last = done.stdout.splitlines()
    assert (first, kinds) == (NEVER[0], "_LazyModule module")
    assert last == "Timeout True"


def test_a_tool_that_is_used_after_all_is_loaded_when_it_is_called() -> None:
    script = (
        "import sys; from otppi.admin.unused_imports import FUNCTIONS, left_for_later\n"
        "with left_for_later():\n    import cherrypy\n"
        "print([name for name in FUNCTIONS if name in sys.modules or hasattr(cherrypy.lib, name.rpartition('.')[2])])\n"
        "cherrypy.serving.request.method = 'POST'\n"
        "print(cherrypy.tools.staticfile.callable('/nowhere'))\n"
        "print([name for name in FUNCTIONS if name in sys.modules])\n"
        "from cherrypy.lib.static import staticfile\n"
        "print(staticfile.__module__)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.splitlines() == ["[]", "False", "['cherrypy.lib.static']", "cherrypy.lib.static"]
