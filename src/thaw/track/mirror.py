"""W&B gets a copy of the run folder. Nothing here can stop a run, and no outage makes it wait more than 15 seconds.

Decisions: W&B is imported only when it is used; whatever it raises is told in one line and the run goes on without it;
its files lie in the run folder; it sees neither the console nor the command line nor git, which may hold secrets; the
process is left as it was found (environment, ``sys.exit``, excepthook, ``wandb.run``), so that the next job of a sweep
is its own W&B run.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from thaw.storage import write_text
from thaw.track import reach
from thaw.track.config import WandbConfig
from thaw.track.plain import plain
from thaw.track.redact import redact

STEP = "trainer/step"  # the default x axis; seconds and tokens stand beside it in every row
AXES = ("seconds", "tokens")
INIT_SECONDS, FINISH_SECONDS = 4.0, 5.0
IDENTITY = "mirror.json"  # in the folder wandb/: the W&B id, so that a resumed run continues it

_LIMITS = {"name": 128, "group": 128, "job_type": 64, "tag": 64}  # characters, of the W&B server


class Mirror:
    """The W&B run of one run folder, a context manager: an exception that leaves it marks the run failed."""

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
        self._identity = {"run_id": run_id, "name": name, "group": group, "job_type": job_type}
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
        self._surroundings.enter_context(_surroundings(self.folder / "wandb"))
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
            self._try(lambda run: run.finish(exit_code=_exit_code(error)), ends=True)
        self._run = self._surroundings = None

    def log(self, event: Mapping[str, Any]) -> None:
        """Copy one event of ``metrics.jsonl``: step, seconds, tokens and metrics."""
        row = {STEP if key == "step" else key: value for key, value in plain(event).items() if value is not None}
        self._try(lambda run: run.log(row))

    def summary(self, row: Mapping[str, Any]) -> None:
        """Copy the result row."""
        values = {key: value for key, value in redact(plain(row)).items() if value is not None}
        self._try(lambda run: run.summary.update(values))

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

        The metadata are also the artifact's one file, so that its version is given by content.
        """
        content, places = redact(plain(metadata or {})), [str(one) for one in references]

        def record(run: Any) -> None:
            import wandb

            artifact = wandb.Artifact(_artifact_name(name), type=type, metadata=content)
            with artifact.new_file("lineage.json") as file:
                json.dump(content, file, indent=2, sort_keys=True)
            for place in places:
                uri = place if "://" in place else Path(os.path.abspath(place)).as_uri()
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
        for mode in (self.mode, "offline") if self.mode == "online" else (self.mode,):
            try:
                self._run = self._init(mode)
                self.mode, self.url = mode, self._run.url if mode == "online" else None
                return
            except Exception as error:
                _forget_run()
                offline = mode == "online"
                if offline:
                    reach.remember(f"W&B did not start ({_line(error)})")
                end = "recording offline" if offline else "going on without it, the run folder has everything"
                self._tell(f"did not start ({_line(error)}); {end}")
        self.mode = "disabled"

    def _init(self, mode: str) -> Any:
        import wandb

        identity = self._wandb_id()
        with _quiet_hooks():
            run = wandb.init(
                project=self.config.project,
                entity=self.config.entity,
                id=identity,
                name=_cut(self._identity["name"], "name"),
                group=_cut(self._identity["group"], "group"),
                job_type=_cut(self._identity["job_type"], "job_type"),
                tags=list(dict.fromkeys(_cut(redact(str(tag)), "tag") for tag in self._tags if tag)),
                config=self._settings,
                dir=str(self.folder),
                mode=mode,
                resume="allow" if self._resumed and mode == "online" else None,
                reinit="finish_previous",
                settings=wandb.Settings(**_SETTINGS),
            )
        write_text(self.folder / "wandb" / IDENTITY, json.dumps({"id": identity, "mode": mode, "url": run.url}) + "\n")
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
        return f"{self._identity['run_id']}-{os.urandom(3).hex()}"

    def _try(self, call: Callable[[Any], object], ends: bool = False) -> None:
        if self._run is None:
            return
        try:
            call(self._run)
        except TimeoutError:
            reach.remember("the W&B server took too long at the end of an earlier run")
            self._tell(f"the server did not take everything within {FINISH_SECONDS:g} s; {self._later()}")
            _forget_run()
        except Exception as error:
            self._run = None
            _forget_run()
            self._tell(f"{_line(error)}; {'' if ends else 'going on without it, '}the run folder has everything")

    def _later(self) -> str:
        return f"upload it later: wandb sync --include-online {self.folder / 'wandb'}"

    def _tell(self, text: str) -> None:
        if reach.first_time(text):
            print(f"W&B: {redact(text)}", file=sys.stderr, flush=True)


_SETTINGS: dict[str, Any] = {
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


@contextlib.contextmanager
def _surroundings(folder: Path) -> Iterator[None]:
    """Keep W&B's files in ``folder``, and put every ``WANDB_`` variable back afterwards."""
    before = {name: value for name, value in os.environ.items() if name.startswith("WANDB_")}
    for name, part in {"WANDB_DATA_DIR": "data", "WANDB_CACHE_DIR": "cache", "WANDB_ARTIFACT_DIR": "artifacts"}.items():
        os.environ[name] = str(folder / part)
    os.environ.update(WANDB_SILENT="true", WANDB_ERROR_REPORTING="false")
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("WANDB_") and name not in before]:
            del os.environ[name]
        os.environ.update(before)


@contextlib.contextmanager
def _quiet_hooks() -> Iterator[None]:
    """Undo W&B's replacements of ``sys.exit`` and ``sys.excepthook``: it never does, and a sweep would stack them."""
    before = sys.exit, sys.excepthook
    try:
        yield
    finally:
        sys.exit, sys.excepthook = before


def _forget_run() -> None:
    """After a failure: no W&B run is left open and the next job starts its own W&B process."""
    wandb = sys.modules.get("wandb")
    if wandb is None:
        return
    with contextlib.suppress(Exception):
        wandb.teardown(exit_code=1)
    with contextlib.suppress(Exception):
        wandb.sdk.lib.module.unset_globals()


def _exit_code(error: BaseException | None) -> int:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return 0
    return 1 if isinstance(error, Exception) else 255  # 255 is W&B's code of a run that was stopped


def _artifact_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)[:128]


def _cut(text: str | None, what: str) -> str | None:
    return text[: _LIMITS[what]] if text else None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
