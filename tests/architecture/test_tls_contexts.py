"""Every TLS context of the product is made where its oldest version is set: Python leaves that to the system."""

import ast
import ssl
from pathlib import Path

from otppi.kit.net.tls import verifying_context
from otppi.web import own_certificate, tls

ROOT = Path(__file__).parents[2]
MAKERS = {"SSLContext", "create_default_context", "_create_unverified_context", "_create_stdlib_context"}
OWN = {"kit/net/tls.py": 1, "web/tls.py": 1}
"""How many each of them makes, below `otppi-core/src/otppi`; what helps tests is not the product."""
BY_ITSELF = {"HTTPSConnection", "SMTP_SSL", "IMAP4_SSL", "starttls", "tls_set", "urlopen"}
"""What makes a context of its own where it is given none."""


def calls(tree: ast.Module, names: set[str]) -> list[ast.Call]:
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [one for one in found if (getattr(one.func, "attr", "") or getattr(one.func, "id", "")) in names]


def product() -> dict[str, ast.Module]:
    core = ROOT / "otppi-core/src/otppi"
    sources = [core, *ROOT.glob("plugins/*/src")]
    paths = {str(path.relative_to(source)): path for source in sources for path in source.rglob("*.py")}
    return {name: ast.parse(path.read_text()) for name, path in paths.items() if not name.startswith("testing/")}


def test_contexts_are_made_in_two_places_only() -> None:
    made = {name: len(found) for name, tree in product().items() if (found := calls(tree, MAKERS))}
    assert made == OWN


def test_what_would_make_one_by_itself_is_given_ours() -> None:
    for name, tree in product().items():
        for call in calls(tree, BY_ITSELF):
            assert "context" in {keyword.arg for keyword in call.keywords}, f"{name}:{call.lineno}"


def test_both_take_no_version_before_1_2(tmp_path: Path) -> None:
    own_certificate.make(tmp_path)
    for made in (verifying_context(), tls.own(tmp_path)):
        assert made.minimum_version is ssl.TLSVersion.TLSv1_2
