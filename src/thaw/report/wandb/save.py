"""Workspace and report: saved in W&B where it can be reached, else written as what would have been sent.

Decisions: nothing here raises for an outage, the page is already written; what was saved once from a folder is saved
again in its place (``wandb.json`` there knows it), so that a report keeps its address.
"""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError, ThawError
from thaw.report.collect import Study
from thaw.report.odd import made_of
from thaw.report.out import Out
from thaw.report.page.content import Content, gather
from thaw.report.wandb import document, figures, workspace
from thaw.report.wandb.connect import connected, line
from thaw.report.wandb.target import Target
from thaw.track import reach, wandb_variables
from thaw.track.wandb_process import forget_run, within

SAVED, WORKSPACE, REPORT = FILES = ("wandb.json", "wandb_workspace.json", "wandb_report.json")
SPECS = "wandb specs"  # the part of a report that is what would be sent
SECONDS = 300.0  # for all of it: W&B asks for the project once a run set


def require() -> None:
    """Raise ConfigError where the package is missing that makes workspaces and reports, or WANDB_MODE is no mode."""
    wandb_variables.mode()
    if find_spec("wandb_workspaces") is None:
        raise ConfigError("--wandb needs the package wandb-workspaces, install it: pip install 'thaw-nlp[reports]'")


def publish(
    study: Study, to: Target, out: Path | str, *, title: str | None = None, question: str | None = None,
    force: bool = False,
) -> bool:  # fmt: skip
    """Save a workspace a task and the report in W&B, or write their specs to ``out``; return whether they are saved.

    One line tells where they are, on stderr with the remedy where W&B should have taken them and did not. ConfigError
    where a file that no report wrote has a name of ours there, unless ``force`` overwrites it.
    """
    place = Out(out, force=force)
    place.refuse(FILES)
    content = made_of(study, lambda some: gather(some, title, question))
    mode, problem = reach.decide("auto")
    if mode == "online":
        try:
            addresses = _save(content, to, place)
        except ThawError as error:
            problem = str(error).removeprefix("W&B: ")
        except Exception as error:
            forget_run()
            problem = f"{line(error)}; the same command tries again"
        else:
            place.write(SPECS, {})
            print(f"W&B: {'  '.join(addresses)}")
            return True
    wished = wandb_variables.mode() in ("offline", "disabled")
    reason = problem or (f"WANDB_MODE={wandb_variables.text(wandb_variables.MODE)}" if wished else reach.NO_KEY)
    written = _write(content, to, place)
    told = f"W&B: not saved ({reason}); what would be sent: {written}"
    print(told, file=sys.stderr if problem else sys.stdout)
    return False


def _write(content: Content, to: Target, place: Out) -> str:
    views = [workspace.spec(one) for one in workspace.workspaces(content.study, to, content.title).values()]
    made = document.document(content, to)
    sent = {WORKSPACE: {"views": views}, REPORT: document.spec(made)}
    place.write(SPECS, {name: json.dumps(spec, indent=1, ensure_ascii=False) + "\n" for name, spec in sent.items()})
    return f"{place.folder / WORKSPACE}, {place.folder / REPORT}"


def _save(content: Content, to: Target, place: Out) -> list[str]:
    """Save everything and return the addresses: of the report, then of the workspaces."""
    addresses: list[str] = []

    def save() -> None:
        with connected() as api:
            here = replace(to, entity=to.entity or api.default_entity)
            _must_exist(api, here)
            known = _read(place.folder / SAVED, here)
            try:
                known["report"]["figures"] = _draw(content, here, known["report"].get("figures"))
                for task, view in workspace.workspaces(content.study, here, content.title).items():
                    _save_view(view, known["workspaces"].get(task, {}))
                    known["workspaces"][task] = {"name": view._internal_name, "id": view._internal_id, "url": view.url}
                    addresses.append(f"workspace {view.url}")
                made = document.document(content, here, drawn=known["report"]["figures"])
                _save_report(made, known["report"].get("id", ""))
                known["report"] |= {"id": made.id, "url": made.url}
                addresses.insert(0, f"report {made.url}")
            finally:  # also of what was saved before an outage
                place.write("wandb", {SAVED: json.dumps({"place": str(here), **known}, indent=1) + "\n"})

    within(SECONDS, save)
    return addresses


def _must_exist(api: Any, to: Target) -> None:
    """Raise ConfigError where the project has no runs yet: a view of it would be empty."""
    try:
        count = len(api.runs(f"{to.entity}/{to.project}", per_page=1))
    except ValueError:
        count = 0
    if not count:
        raise ConfigError(f"there are no runs in {to} yet, upload them: wandb sync runs/STUDY/*/wandb/offline-run-*")


def _draw(content: Content, to: Target, known: str | None) -> str:
    """Log the figures to the run that has those of the last time; to a new one where it was deleted."""
    try:
        return figures.log(content, to, known)
    except Exception:
        if known is None:
            raise
        forget_run()
        return figures.log(content, to)


def _save_view(view: Any, known: dict[str, str]) -> None:
    if known:
        view._internal_name, view._internal_id = known["name"], known["id"]
        try:
            view.save()
            return
        except Exception:  # deleted in the meantime, or an outage: then the next call fails too
            view._internal_name = view._internal_id = ""
    view.save()


def _save_report(report: Any, known: str) -> None:
    if known:
        report.id = known
        try:
            report.save()
            return
        except Exception:
            report.id = ""
    report.save()


def _read(path: Path, to: Target) -> dict[str, Any]:
    """Return what was saved from this folder to this project before."""
    try:
        known = json.loads(path.read_bytes())
        if known["place"] == str(to):
            return {"report": dict(known["report"]), "workspaces": dict(known["workspaces"])}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {"report": {}, "workspaces": {}}
