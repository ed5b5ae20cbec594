"""W&B gets a copy of the run folder. Nothing here can stop a run, and no outage makes it wait more than 15 seconds.

Decisions: W&B is imported only when it is used; whatever it raises is told in one line and the run goes on without it;
its files lie in the run folder; it sees neither the console nor the command line nor git, which may hold secrets; the
process is left as it was found (environment, ``sys.exit``, excepthook, ``wandb.run``), so that the next job of a sweep
is its own W&B run.
"""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from thaw.storage import write_text
from thaw.track import reach
from thaw.track.config import WandbConfig
from thaw.track.plain import plain
from thaw.track.redact import redact
from thaw.track.wandb_process import forget_run, own_hooks, surroundings, within

STEP = "trainer/step"  # the default x axis; seconds and tokens stand beside it in every row
AXES = ("seconds", "cpu_seconds", "tokens")
INIT_SECONDS, FINISH_SECONDS = 4.0, 5.0  # how long W&B may wait for its server
LAST_SECONDS = 7.0  # how long it gets to obey
IDENTITY = "mirror.json"  # in the folder wandb/: what W&B knows the run by; a resumed one continues it
FETCHED = "fetched"  # the mode that file names where the run folder is a copy of the W&B run

NAME_CHARACTERS, TAG_CHARACTERS = 128, 64  # limits of the W&B server


class Mirror:
    """The W&B run of one run folder, a context manager: an exception that leaves it marks the run failed.

    ``mode`` is what became of the wished mode after entering, ``url`` the page of an online run.
    """

    def __init__(
        self,
        config: WandbConfig,
        folder: Path | str,
        *,
        run_id: str,
        name: str,
        group: str | None = None,
        job_type: str | None = None,
        tags: Iterable[str] = (),
        settings: Mapping[str, Any] | None = None,
        resumed: bool = False,
    ) -> None:
        self.config = config
        self.folder = Path(os.path.abspath(folder))
        self.mode = config.mode
        self.url: str | None = None
        self._run_id, self._name, self._group, self._job_type = run_id, name, group, job_type
        self._tags = [*config.tags, *tags]
        self._settings = redact(plain(settings or {}))
        self._resumed = resumed
        self._run: Any = None
        self._surroundings: contextlib.ExitStack | None = None

    def __enter__(self) -> Self:
        self.mode, reason = reach.decide(self.config.mode)
        if self.mode == "disabled":
            return self
        if reason is not None:
            self._tell(f"{reason}; recording offline")
        self._surroundings = contextlib.ExitStack()
        self._surroundings.enter_context(surroundings(self.folder / "wandb"))
        try:
            self._start()
        except BaseException:
            self._surroundings.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._surroundings is None:
            return
        with self._surroundings:
            if isinstance(error, Exception):
                self.summary({"error": _line(error)})
            self._try(lambda run: within(LAST_SECONDS, lambda: run.finish(exit_code=_exit_code(error))), ends=True)
        self._run = self._surroundings = None

    def log(self, event: Mapping[str, Any]) -> None:
        """Copy one event of ``metrics.jsonl``: step, seconds, tokens and metrics."""
        row = {STEP if key == "step" else key: value for key, value in plain(event).items() if value is not None}
        self._try(lambda run: run.log(row))

    def summary(self, row: Mapping[str, Any]) -> None:
        """Copy the result row."""
        values = {key: value for key, value in redact(plain(row)).items() if value is not None}
        self._try(lambda run: run.summary.update(values))

    def file(self, path: Path) -> None:
        """Copy a file of the run folder, as it is now."""
        self._try(lambda run: run.save(str(path), base_path=str(self.folder), policy="end"))

    def artifact(
        self,
        name: str,
        type: str,
        metadata: Mapping[str, Any] | None = None,
        references: Iterable[Path | str] = (),
        *,
        used: bool = False,
    ) -> None:
        """Record an output of the run (an input, with ``used``) by its lineage and references, without its bytes.

        References are URLs and paths; a path that does not exist is left out. The metadata are also the artifact's one
        file, so that its version is given by content.
        """
        content, uris = redact(plain(metadata or {})), [_uri(str(one)) for one in references if _exists(str(one))]

        def record(run: Any) -> None:
            import wandb

            artifact = wandb.Artifact(_artifact_name(name), type=type, metadata=content)
            with artifact.new_file("lineage.json") as file:
                json.dump(content, file, indent=2, sort_keys=True)
            for uri in uris:
                artifact.add_reference(uri, name=uri.rstrip("/").rsplit("/", 1)[-1], checksum=False)
            # What log_artifact and use_artifact call at last. Online they first ask the server, up to 24 s when it is
            # gone; offline use_artifact raises (wandb 0.31.0, 2026-11).
            run._interface.publish_artifact(
                run, artifact, ["latest"], [], finalize=True, is_user_created=used, use_after_commit=used
            )

        def attempt(run: Any) -> None:
            try:
                record(run)
            except OSError:  # the connection is gone
                raise
            except Exception as error:
                self._tell(f"the artifact {name} is not recorded ({_line(error)})")

        self._try(attempt)

    def _start(self) -> None:
        """Start W&B as decided; offline when online fails; not at all when that fails too."""
        identity = self._wandb_id()
        if self.mode == "online":
            try:
                self._run = self._init("online", identity)
                return
            except Exception as error:
                forget_run()
                for begun in (self.folder / "wandb").glob(f"run-*-{identity}"):  # nothing was recorded in it
                    shutil.rmtree(begun, ignore_errors=True)
                reach.remember("the W&B server failed at the start of an earlier run")
                self._tell(f"did not start ({_line(error)}); recording offline")
                self.mode = "offline"
        try:
            self._run = self._init("offline", identity)
        except Exception as error:
            forget_run()
            self._tell(f"did not start ({_line(error)}); going on without it, the run folder has everything")
            self.mode = "disabled"

    def _init(self, mode: Literal["online", "offline"], identity: str) -> Any:
        import wandb

        with own_hooks():
            run = wandb.init(
                project=self.config.project,
                entity=self.config.entity,
                id=identity,
                name=self._name[:NAME_CHARACTERS],
                group=self._group[:NAME_CHARACTERS] if self._group else None,
                job_type=self._job_type[:TAG_CHARACTERS] if self._job_type else None,
                tags=list(dict.fromkeys(redact(str(tag))[:TAG_CHARACTERS] for tag in self._tags if tag)),
                config=self._settings,
                dir=str(self.folder),
                mode=mode,
                resume="allow" if self._resumed and mode == "online" else None,
                reinit="finish_previous",
                settings=wandb.Settings(**(SETTINGS | ({"base_url": reach.server()} if mode == "online" else {}))),
            )
        self.url = run.url if mode == "online" else None
        known = {"id": identity, "mode": mode, "url": self.url, "group": run.group or None}
        known |= {"entity": run.entity if mode == "online" else self.config.entity, "project": self.config.project}
        write_text(self.folder / "wandb" / IDENTITY, json.dumps(known) + "\n")
        run.define_metric(STEP)
        for axis in AXES:
            run.define_metric(axis)
        run.define_metric("*", step_metric=STEP)
        return run

    def _wandb_id(self) -> str:
        """Return a new W&B id, or that of the run that is resumed.

        New for each try: the run id alone names the same run in two studies, and W&B refuses the id of a deleted run.
        """
        if self._resumed:
            with contextlib.suppress(OSError, ValueError, KeyError):
                return str(json.loads((self.folder / "wandb" / IDENTITY).read_text())["id"])
        return f"{self._run_id}-{os.urandom(3).hex()}"

    def _try(self, call: Callable[[Any], object], ends: bool = False) -> None:
        if self._run is None:
            return
        try:
            call(self._run)
        except TimeoutError:
            reach.remember("the W&B server took too long at the end of an earlier run")
            self._tell(f"the server did not take everything in time; {self._later()}")
            forget_run()
        except Exception as error:
            self._run = None
            forget_run()
            self._tell(f"{_line(error)}; {'' if ends else 'going on without it, '}the run folder has everything")

    def _later(self) -> str:
        return f"upload it later: wandb sync --include-online {self.folder / 'wandb'}"

    def _tell(self, text: str) -> None:
        if reach.first_time(text):
            print(f"W&B: {redact(text)}", file=sys.stderr, flush=True)


SETTINGS: dict[str, Any] = {
    "silent": True,
    "console": "off",
    "symlink": False,  # latest-run makes a recursive search count a run twice
    "disable_git": True,  # a remote may hold a password
    "disable_code": True,
    "disable_job_creation": True,
    "x_disable_meta": True,  # the command line
    "x_disable_machine_info": True,
    "x_save_requirements": False,
    "x_stats_sampling_interval": 60.0,
    "x_stats_coreweave_metadata_base_url": "http://127.0.0.1:9",  # its default is asked over the network
    "x_transaction_log_flush_interval": 3.0,  # seconds a killed run may lose; 15 by default
    "x_service_wait": 10.0,
    "init_timeout": INIT_SECONDS,
    "finish_timeout": FINISH_SECONDS,
    "finish_timeout_raises": True,
}


def _exit_code(error: BaseException | None) -> int:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return 0
    return 1 if isinstance(error, Exception) else 255  # 255 is W&B's code of a run that was stopped


def _exists(place: str) -> bool:
    return "://" in place or os.path.exists(place)


def _uri(place: str) -> str:
    return str(redact(place)) if "://" in place else Path(os.path.abspath(place)).as_uri()


def _artifact_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)[:128]


def _line(error: BaseException) -> str:
    text = " ".join(str(error).partition("Consider increasing")[0].split())
    return text[:200].rstrip(" .") or type(error).__name__
