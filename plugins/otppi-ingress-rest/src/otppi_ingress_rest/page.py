"""The OpenAPI document as one HTML page: no script, nothing from elsewhere, readable on a telephone."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
:root{color-scheme:light dark;--line:#8886;--soft:#8881;--accent:#0b57d0}
@media(prefers-color-scheme:dark){:root{--accent:#a8c7fa}}
*{box-sizing:border-box}
body{font:1rem/1.55 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
a{color:var(--accent)}
h1{margin:.2em 0}h2{margin:2.2em 0 .6em;border-bottom:1px solid var(--line)}h3{margin:1.6em 0 .4em}
code,pre{font:.9em/1.45 ui-monospace,monospace}
code{background:var(--soft);padding:.1em .3em;border-radius:.3em;overflow-wrap:anywhere}
pre{background:var(--soft);padding:.8em;border-radius:.5em;overflow-x:auto}pre code{background:none;padding:0}
.method{font-weight:700;color:var(--accent)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4em .6em .4em 0;border-bottom:1px solid var(--line)}
td:first-child code{white-space:nowrap}
.wide{overflow-x:auto}
nav ul{display:flex;flex-wrap:wrap;gap:.3em 1.2em;padding:0;list-style:none}
summary{cursor:pointer;padding:.5em 0}details{border-bottom:1px solid var(--line)}
.skip{position:absolute;left:-99em}.skip:focus{position:static}
"""
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode('ascii')}"

_CODE = re.compile(r"`([^`]*)`")
Json = Mapping[str, Any]


def render(document: Json) -> str:
    """Write the page."""
    info = document["info"]
    body = "\n".join(
        [
            '<a class="skip" href="#main">Skip to content</a>',
            f"<header><h1>{escape(info['title'])}</h1>",
            f"<p>{escape(info['summary'])} · version {escape(info['version'])}</p>",
            '<nav aria-label="Sections"><ul><li><a href="#operations">Requests</a></li>'
            '<li><a href="#commands">Commands</a></li><li><a href="#answers">Answers</a></li>'
            '<li><a href="openapi.json">OpenAPI document</a></li></ul></nav></header>',
            f'<main id="main"><p>{_text(info["description"])}</p>',
            _first_request(document),
            '<h2 id="operations">Requests</h2>',
            *_operations(document),
            '<h2 id="commands">Commands</h2>',
            *_commands(document),
            '<h2 id="answers">Answers</h2>',
            *_answers(document),
            "</main>",
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _first_request(document: Json) -> str:
    path = next(iter(document["paths"]))
    example = next(iter(_content(document)["examples"].values()))["value"]
    line = f"curl -u USER:PASSWORD -d '{json.dumps(example, ensure_ascii=False)}' ADDRESS{path}"
    return f"<p>The first request, where ADDRESS is that of this page:</p><pre><code>{escape(line)}</code></pre>"


def _content(document: Json) -> Json:
    main = next(iter(document["paths"].values()))
    content: Json = main["post"]["requestBody"]["content"]["application/json"]
    return content


def _operations(document: Json) -> Iterator[str]:
    aliases: list[str] = []
    for path, item in document["paths"].items():
        operation = next(iter(item.values()))
        if "x-alias-of" in operation:
            aliases.append(path)
            continue
        methods = " or ".join(method.upper() for method in item)
        yield f'<h3><span class="method">{methods}</span> <code>{escape(path)}</code></h3>'
        yield f"<p>{_text(operation['summary'])}. {_text(operation.get('description', ''))} {_access(operation)}</p>"
        yield from _parameters(document, operation)
    if aliases:
        listed = ", ".join(f"<code>{escape(path)}</code>" for path in aliases)
        yield f"<p>These paths take the same commands in the same way: {listed}.</p>"


def _access(operation: Json) -> str:
    schemes = [name for choice in operation["security"] for name in choice]
    if not schemes:
        return "No credentials are needed."
    words = " or ".join(f"<b>{escape(scheme.capitalize())}</b>" for scheme in schemes)
    return f"Credentials ({words}) {'may be given' if {} in operation['security'] else 'are required'}."


def _parameters(document: Json, operation: Json) -> Iterator[str]:
    parameters = [_resolve(document, parameter) for parameter in operation.get("parameters", ())]
    if parameters:
        rows = [
            (f"<code>{escape(one['name'])}</code>", f"in {one['in']}", _text(one["description"])) for one in parameters
        ]
        yield _table(("Parameter", "Where", "What it does"), rows)


def _commands(document: Json) -> Iterator[str]:
    content = _content(document)
    mapping = content["schema"]["discriminator"]["mapping"]
    for command, example in content["examples"].items():
        schema = _resolve(document, {"$ref": mapping[command]})
        yield f"<details><summary><code>{escape(command)}</code> {_text(example['summary'])}</summary>"
        yield f"<pre><code>{escape(json.dumps(example['value'], indent=2, ensure_ascii=False))}</code></pre>"
        if choices := schema["properties"]["data"].get("anyOf"):
            yield _fields(document, choices[0])
        yield "</details>"


def _fields(document: Json, schema: Json) -> str:
    rows = []
    for name, declared in schema["properties"].items():
        value = _resolve(document, declared)
        needed = "required" if name in schema["required"] else "optional"
        rows.append((f"<code>{escape(name)}</code>", needed, _text(_description(value))))
    return _table(("Field of data", "", "What it is"), rows)


def _description(schema: Json) -> str:
    if "description" in schema:
        return str(schema["description"])
    if "anyOf" in schema:
        return " Or: ".join(_description(one) for one in schema["anyOf"] if one.get("type") != "null")
    limit = f" of at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    return f"Text{limit}."


def _answers(document: Json) -> Iterator[str]:
    responses = document["components"]["responses"]
    rows = [(f"<b>{status}</b>", _text(response["description"])) for status, response in responses.items()]
    yield _table(("HTTP", "Meaning, and the response codes that come with it"), rows)
    for status, title in (("200", "An answer"), ("400", "A refusal")):
        example = responses[status]["content"]["application/json"]["example"]
        yield f"<h3>{title}</h3><pre><code>{escape(json.dumps(example, indent=2))}</code></pre>"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        '<div class="wide" role="region" aria-label="Table" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _resolve(document: Json, value: Json) -> Json:
    while "$ref" in value:
        found: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def _text(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
