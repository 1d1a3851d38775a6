"""Runs a file of requests as VS Code's REST Client reads it: variables, named requests, bodies out of files."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

_VARIABLE = re.compile(r"^@(\w+)\s*=\s*(.+)$")
_NAME = re.compile(r"^# @name (\w+)$")
_REFERENCE = re.compile(r"\{\{([^{}]+)\}\}")
_RESPONSE = re.compile(r"(\w+)\.response\.body\.\$((?:\.\w+|\[\d+\])+)")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as written, with its references still in it."""

    name: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: str | Path | None


@dataclass(slots=True)
class HttpFile:
    """`overridden` variables go over those of the file."""

    path: Path
    overridden: Mapping[str, str]
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)

    async def send_all(self) -> AsyncIterator[tuple[str, httpx.Response]]:
        """Sends one request after the other; gives each one's name and answer."""
        async with httpx.AsyncClient(timeout=60) as client:
            for block in re.split(r"^###.*$", self.path.read_text(encoding="utf-8"), flags=re.MULTILINE):
                request = self._parse(block)
                if request is not None:
                    answer = await client.send(self._build(client, request))
                    self.answers[request.name] = answer
                    yield request.name, answer

    def _parse(self, block: str) -> HttpRequest | None:
        name, lines = "", block.strip().splitlines()
        while lines and (not lines[0].strip() or lines[0].startswith(("@", "#"))):
            line = lines.pop(0)
            if variable := _VARIABLE.match(line):
                self._variables[variable[1]] = variable[2]
            if named := _NAME.match(line):
                name = named[1]
        if not lines:
            return None
        method, url = lines[0].split(" ", 1)
        end = lines.index("") if "" in lines else len(lines)
        headers = dict(line.split(": ", 1) for line in lines[1:end])
        return HttpRequest(name, method, url, headers, self._body("\n".join(lines[end:]).strip()))

    def _body(self, text: str) -> str | Path | None:
        return self.path.parent / text[1:].strip() if text.startswith("<") else text or None

    def _build(self, client: httpx.AsyncClient, request: HttpRequest) -> httpx.Request:
        body = request.body.read_bytes() if isinstance(request.body, Path) else self._filled(request.body or "")
        headers = {name: self._filled(value) for name, value in request.headers.items()}
        return client.build_request(request.method, self._filled(request.url), headers=headers, content=body or None)

    def _filled(self, text: str) -> str:
        while _REFERENCE.search(text):
            text = _REFERENCE.sub(lambda found: self._value(found[1].strip()), text)
        return text

    def _value(self, reference: str) -> str:
        if found := _RESPONSE.fullmatch(reference):
            value = self.answers[found[1]].json()
            for member, place in re.findall(r"\.(\w+)|\[(\d+)\]", found[2]):
                value = value[member] if member else value[int(place)]
            return str(value)
        return self.overridden.get(reference) or self._variables[reference]
