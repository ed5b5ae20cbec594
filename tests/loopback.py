"""A W&B server on the loopback interface: enough of its protocol for a run, with outages on demand.

``LoopbackWandb`` answers the GraphQL operations of wandb 0.31 that a run needs, takes history, summary and files, and
keeps every byte it was sent. ``mode`` may be changed at any time: ``ok``, ``silent`` (accepts, never answers),
``error`` (HTTP 500), ``refuse`` (HTTP 401).
"""

import gzip
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789abcdef" * 2 + "01234567"
_STREAM = re.compile(r"/files/[^/]+/[^/]+/(?P<run>[^/]+)/file_stream")
ARTIFACTS = ("CreateArtifact", "CreateArtifactManifest", "UpdateArtifactManifest", "CreateArtifactFiles")
ARTIFACTS += ("CommitArtifact", "XXHashDigestsEnabled", "FetchArtifactDigestAlgorithm")
_ENTITY = {"id": "ZW50", "name": "loopback"}


class LoopbackWandb:
    """The server; ``runs`` maps a W&B id to what arrived of it."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.runs: dict[str, dict[str, Any]] = {}
        self.received: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self.unknown: list[str] = []
        self.artifacts: list[dict[str, Any]] = []
        self.takes_artifacts = False  # else the client is told that it knows none, and gives up on them
        self.sweep: dict[str, Any] | None = None  # what an agent is to run: command and arguments, once
        self._awake, self._lock = threading.Event(), threading.Lock()
        handler = type("Handler", (_Handler,), {"backend": self})
        self._http = _Http(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "LoopbackWandb":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._awake.set()
        self._http.shutdown()
        self._http.server_close()

    def hang(self) -> None:
        """Keep a request waiting until the server stops."""
        self._awake.wait(60)

    def run(self, name: str) -> dict[str, Any]:
        """Return the record of a run, an empty one at first."""
        return self.runs.setdefault(name, {"config": {}, "summary": {}, "history": {}, "exit": None, "files": []})

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a run in order."""
        rows = self.run(name)["history"]
        return [rows[number] for number in sorted(rows)]

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Answer one POST."""
        with self._lock:
            if path == "/graphql":
                return 200, self._graphql(json.loads(body))
            if match := _STREAM.match(path):
                return 200, self._stream(match["run"], json.loads(body))
            self.unknown.append(path)
            return 404, {}

    def _stream(self, name: str, sent: dict[str, Any]) -> dict[str, Any]:
        run = self.run(name)
        for file, part in (sent.get("files") or {}).items():
            lines = [json.loads(line) for line in part["content"]] if file.endswith((".jsonl", ".json")) else []
            if file == "wandb-history.jsonl":
                run["history"].update({part.get("offset", 0) + number: line for number, line in enumerate(lines)})
            elif file == "wandb-summary.json" and lines:
                run["summary"] = lines[-1]
        if sent.get("complete"):
            run["exit"] = sent.get("exitcode")
        return {"exitcode": None, "limits": {}}

    def _graphql(self, sent: dict[str, Any]) -> dict[str, Any]:
        query, values = sent.get("query", ""), sent.get("variables") or {}
        named = re.search(r"(?:query|mutation)\s+(\w+)", query)
        operation = sent.get("operationName") or (named[1] if named else "?")
        answer = getattr(self, f"_{operation}", None)
        if operation in ARTIFACTS and not self.takes_artifacts:
            answer = None
        if answer is None:
            self.unknown.append(operation)  # artifacts: the client gives up on them
            return {"data": None, "errors": [{"message": f"unknown operation {operation}"}]}
        return {"data": answer(values)}

    def _Viewer(self, _: dict[str, Any]) -> dict[str, Any]:
        person = {"id": "VXNlcg==", "entity": "loopback", "username": "loopback", "email": "a@example.invalid"}
        return {"viewer": {**person, "admin": False, "flags": "{}", "teams": {"edges": []}}}

    def _ServerInfo(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"cliVersionInfo": {"max_cli_version": "99"}, "features": []}}

    def _ServerFeaturesQuery(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"features": []}}

    def _RunResumeStatus(self, values: dict[str, Any]) -> dict[str, Any]:
        name, run = values.get("name"), self.runs.get(values.get("name", ""))
        bucket = None
        if run and run.get("upserted"):
            tail = json.dumps([json.dumps(row) for row in self.history(name)[-1:]])
            bucket = {"id": name, "name": name, "displayName": name, "historyLineCount": len(run["history"])}
            bucket |= {"summaryMetrics": json.dumps(run["summary"]), "config": json.dumps(run["config"])}
            bucket |= {"eventsLineCount": 0, "logLineCount": 0, "historyTail": tail, "eventsTail": "[]"}
            bucket |= {"tags": [], "wandbConfig": "{}"}
        return {"model": {"id": "cHJvag==", "name": values.get("project"), "entity": _ENTITY, "bucket": bucket}}

    def _UpsertBucket(self, values: dict[str, Any]) -> dict[str, Any]:
        name = values.get("name") or values.get("id")
        run = self.run(name)
        new = not run.get("upserted")
        run["upserted"] = True
        if values.get("config"):
            run["config"] = json.loads(values["config"])
        for key in ("groupName", "jobType", "tags", "displayName", "project", "notes", "commit", "sweep"):
            if values.get(key) is not None:
                run[key] = values[key]
        project = {"id": "cHJvag==", "name": values.get("project") or "thaw", "entity": _ENTITY}
        bucket = {"id": name, "name": name, "displayName": run.get("displayName", name), "description": None}
        bucket |= {"config": json.dumps(run["config"]), "sweepName": None, "project": project}
        return {"upsertBucket": {"bucket": bucket | {"historyLineCount": len(run["history"])}, "inserted": new}}

    def _CreateRunFiles(self, values: dict[str, Any]) -> dict[str, Any]:
        run = values.get("run")
        self.run(str(run))["files"].extend(values["files"])
        files = [{"name": name, "uploadUrl": f"{self.url}/upload/{run}/{name}"} for name in values["files"]]
        return {"createRunFiles": {"runID": "x", "uploadHeaders": [], "files": files}}

    def _RunStoppedStatus(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"run": {"stopped": False}}}

    def _OrganizationCoreWeaveOrganizationID(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"entity": {"organization": {"coreWeaveOrganizationId": None}}}

    # -- artifacts: their files are kept in ``files`` by name, under /artifact/

    def _XXHashDigestsEnabled(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"entity": {"xxhashDigestsEnabled": False}}

    def _FetchArtifactDigestAlgorithm(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"artifactType": {"artifactCollection": None}}}

    def _CreateArtifact(self, values: dict[str, Any]) -> dict[str, Any]:
        self.artifacts.append({**values["input"], "state": "PENDING"})
        made = {"id": str(len(self.artifacts)), "state": "PENDING", "artifactSequence": {"latestArtifact": None}}
        return {"createArtifact": {"artifact": made}}

    def _CreateArtifactManifest(self, values: dict[str, Any]) -> dict[str, Any]:
        file = {"id": "f", "uploadUrl": f"{self.url}/artifact/{values['artifactID']}/manifest", "uploadHeaders": []}
        return {"createArtifactManifest": {"artifactManifest": {"id": values["artifactID"], "file": file}}}

    def _UpdateArtifactManifest(self, values: dict[str, Any]) -> dict[str, Any]:
        made = self._CreateArtifactManifest({"artifactID": values["artifactManifestID"]})
        return {"updateArtifactManifest": made["createArtifactManifest"]}

    def _CreateArtifactFiles(self, values: dict[str, Any]) -> dict[str, Any]:
        edges = []
        for file in values["input"]["artifactFiles"]:
            place = f"artifact/{file['artifactID']}/{file['name']}"
            node = {"storagePath": place, "uploadUrl": f"{self.url}/{place}", "uploadHeaders": []}
            edges.append({"node": node | {"uploadMultipartUrls": None, "artifact": {"id": file["artifactID"]}}})
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def _CommitArtifact(self, values: dict[str, Any]) -> dict[str, Any]:
        self.artifacts[int(values["artifactID"]) - 1]["state"] = "COMMITTED"
        return {"commitArtifact": {"artifact": {"id": values["artifactID"], "digest": ""}}}

    # -- an agent of a sweep

    def _SweepWithRuns(self, values: dict[str, Any]) -> dict[str, Any]:
        assert self.sweep is not None
        config = json.dumps({"method": "grid", "program": "thaw", "command": self.sweep["command"]})
        found = {"id": "s", "name": values["sweep"], "method": "grid", "state": "RUNNING", "config": config}
        return {"project": {"sweep": found | {"runs": {"edges": []}}}}

    def _CreateAgent(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"createAgent": {"agent": {"id": "agent"}}}

    def _Heartbeat(self, _: dict[str, Any]) -> dict[str, Any]:
        commands: list[dict[str, Any]] = []
        if self.sweep is not None and "arguments" in self.sweep:
            commands = [{"type": "run", "run_id": "ag3nt", "program": "thaw", "args": self.sweep.pop("arguments")}]
        elif self.run("ag3nt")["exit"] is not None:
            commands = [{"type": "exit"}]
        return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(commands)}}

    def _ArtifactTypeIntrospection(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"__type": None}


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing when a client is killed."""


class _Handler(BaseHTTPRequestHandler):
    backend: LoopbackWandb
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self._body()
        self.backend.received.append(self.path.encode() + b" " + body)
        self._send(*(self.backend.answer(self.path, body) if self._up() else (500, {"error": "injected"})))

    def do_PUT(self) -> None:
        body = self._body()
        self.backend.received.append(self.path.encode() + b" " + body)
        self.backend.files[self.path] = body
        self._send(200 if self._up() else 500, {})

    def do_GET(self) -> None:
        found = self.backend.files.get(self.path)
        self._send((404 if found is None else 200) if self._up() else 500, {} if found is None else found)

    def _up(self) -> bool:
        if self.backend.mode == "silent":
            self.backend.hang()
        return self.backend.mode == "ok"

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _send(self, code: int, content: Any) -> None:
        if self.backend.mode == "refuse":
            code = 401
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        try:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client gave up
            self.close_connection = True
