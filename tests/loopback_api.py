"""The rest of the loopback W&B server: its public API for reading runs, and saved views (workspaces and reports)."""

import json
import re
from collections.abc import Callable
from typing import Any

from loopback import LoopbackWandb

STATES = {None: "running", 0: "finished", 255: "killed"}  # by exit code; all others: failed
MOST = 10_000  # rows of history in one answer
Values = dict[str, Any]


class LoopbackApi(LoopbackWandb):
    """A server whose runs can be read, and which keeps views by id.

    ``operations`` are the GraphQL operations asked for, in order; after ``patience`` of them the server only fails.
    Views of the type ``refused`` are not saved.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []
        self.patience: int | None = None
        self.refused: str | None = None
        self.projects: set[str] = set()
        self.views: dict[str, Values] = {}

    def _graphql(self, sent: Values) -> Values:
        named = re.search(r"(?:query|mutation)\s+(\w+)", sent.get("query", ""))
        self.operations.append(sent.get("operationName") or (named[1] if named else "?"))
        if self.patience is not None and len(self.operations) > self.patience:
            return {"data": None, "errors": [{"message": "injected"}]}
        try:
            return super()._graphql(sent)
        except LookupError as error:
            return {"data": None, "errors": [{"message": str(error)}]}

    def _GetDefaultEntity(self, _: Values) -> Values:
        return {"viewer": {"id": "VXNlcg==", "entity": "loopback"}}

    # -- runs

    def _known(self, values: Values) -> bool:
        entity, project = values.get("entity") or values.get("entityName"), values.get("project")
        found = self.projects | {run.get("project") for run in self.runs.values()}
        return entity == "loopback" and (project or values.get("projectName")) in found

    def _Runs(self, values: Values) -> Values:
        if not self._known(values):
            return {"project": None}
        wanted = _filter(json.loads(values.get("filters") or "{}"))
        members = [name for name, run in self.runs.items() if run.get("project") == values["project"] and wanted(run)]
        start = int(values.get("cursor") or 0)
        edges = [
            {"cursor": str(number + 1), "node": self._node(name)}
            for number, name in enumerate(members[start : start + values["perPage"]], start)
        ]
        following = {
            "endCursor": edges[-1]["cursor"] if edges else None,
            "hasNextPage": start + len(edges) < len(members),
        }
        found = {"edges": edges, "pageInfo": following}
        return {"project": {"internalId": "1", "runCount": len(members), "readOnly": False, "runs": found}}

    def _node(self, name: str) -> Values:
        run, rows = self.runs[name], self.history(name)
        node: Values = {"id": name, "projectId": 1, "name": name, "displayName": run.get("displayName", name)}
        node |= {"state": run.get("state") or STATES.get(run["exit"], "failed"), "group": run.get("groupName")}
        node |= {"tags": run.get("tags") or [], "jobType": run.get("jobType"), "sweepName": None, "commit": None}
        node |= {"readOnly": False, "createdAt": "2026-11-22T10:00:00Z", "description": "", "notes": ""}
        node |= {"heartbeatAt": run.get("heartbeatAt", "2026-11-22T11:00:00Z"), "historyLineCount": len(rows)}
        node |= {"config": json.dumps(run["config"]), "summaryMetrics": json.dumps(run["summary"])}
        node |= {"systemMetrics": "{}", "historyKeys": {"lastStep": len(rows) - 1, "keys": {}}}
        return node | {"user": {"name": "Loopback", "username": "loopback"}}

    def _of_run(self, values: Values, field: str, content: Callable[[list[Values]], Any]) -> Values:
        name = values.get("name") or values.get("run") or values.get("runName")
        if name not in self.runs:
            return {"project": {"run": None}}
        return {"project": {"run": {field: content(self.history(name))}}}

    def _RunFullHistory(self, values: Values) -> Values:
        def some(rows: list[Values]) -> list[str]:
            number = min(values["samples"], MOST)
            taken = rows if len(rows) <= number else [rows[i * len(rows) // number] for i in range(number)]
            return [json.dumps(row) for row in taken]

        return self._of_run(values, "history", some)

    def _RunHistoryKeys(self, values: Values) -> Values:
        return self._of_run(values, "historyKeys", lambda rows: {"lastStep": len(rows) - 1, "keys": {}})

    def _RunParquetHistory(self, values: Values) -> Values:
        live = {"parquetUrls": [], "liveData": []}
        return self._of_run(values, "parquetHistory", lambda rows: live)

    def _HistoryPage(self, values: Values) -> Values:
        first, last = values["minStep"], values["maxStep"]
        return self._of_run(values, "history", lambda rows: [json.dumps(row) for row in rows[first:last]])

    def _RunFiles(self, values: Values) -> Values:
        found = [name for name in self.runs[values["name"]]["files"] if name in values["fileNames"]]
        edges = [
            {
                "cursor": name,
                "node": {"id": name, "name": name, "url": url, "directUrl": url, "sizeBytes": len(self.files[path])},
            }
            for name in found
            for path in [f"/upload/{values['name']}/{name}"]
            for url in [self.url + path]
        ]
        files = {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}
        return {"project": {"internalId": "1", "run": {"fileCount": len(edges), "files": files}}}

    # -- projects and views

    def _GetProjects(self, values: Values) -> Values:
        names = sorted(self.projects | {str(run["project"]) for run in self.runs.values() if run.get("project")})
        about = {"__typename": "Project", "entityName": "loopback", "createdAt": "2026-11-22T10:00:00Z"}
        about |= {"isBenchmark": False, "user": None}
        edges = [{"cursor": name, "node": about | {"id": f"p-{name}", "name": name}} for name in names]
        return {
            "models": {"pageInfo": {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}, "edges": edges}
        }

    def _CreateProject(self, values: Values) -> Values:
        name = values["input"].get("name") or values["input"].get("modelName")
        self.projects.add(name)
        made = {"id": f"p-{name}", "name": name, "entityName": "loopback", "description": "", "access": "", "views": ""}
        return {"result": {"project": made, "model": made, "inserted": True}}

    def _ProjectInternalId(self, values: Values) -> Values:
        known = self._known(values)
        return {"project": {"id": "p", "internalId": "UHJvamVjdEludGVybmFsSWQ6MQ=="} if known else None}

    def _UpsertView2(self, values: Values) -> Values:
        if not self._known(values):
            raise LookupError("project not found")
        if values["type"] == self.refused:
            raise LookupError("injected")
        if values.get("id") and values["id"] not in self.views:
            raise LookupError(f"view {values['id']} not found")
        number = values.get("id") or f"view{len(self.views) + 1}"
        inserted = number not in self.views
        self.views[number] = {**values, "id": number}
        project = {"id": "p", "name": values["projectName"], "entityName": values["entityName"]}
        view = {key: values.get(key) for key in ("name", "displayName", "description", "type", "spec")}
        view |= {"id": number, "project": project, "updatedAt": "2026-11-22T10:00:00Z"}
        return {"upsertView": {"view": view, "inserted": inserted}}

    _upsertView = _UpsertView2


def _filter(asked: Values) -> Callable[[Values], bool]:
    """Return the test that a filter in W&B's (MongoDB's) language means, of what `thaw.report.wandb` asks for."""
    if not asked:
        return lambda run: True
    ((key, value),) = asked.items()
    if key == "$or":
        tests = [_filter(one) for one in value]
        return lambda run: any(test(run) for test in tests)
    assert key == "group", key
    if isinstance(value, dict):
        pattern = re.compile(value["$regex"])
        return lambda run: bool(pattern.search(run.get("groupName") or ""))
    return lambda run: run.get("groupName") == value
