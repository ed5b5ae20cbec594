"""W&B gets a copy of the run folder. Nothing here can stop a run, and no outage makes it wait more than 15 seconds.

Decisions: W&B is imported only when it is used; whatever it raises is told in one line and the run goes on; what W&B
was told is kept until the end, so that a recording that was lost (its side process killed or stuck, the server gone) is
made anew, offline and whole, and ``wandb sync`` can bring it to the server later; its files lie in the run folder; it
sees neither the console nor the command line nor git, which may hold secrets; the process is left as it was found
(environment, ``sys.exit``, excepthook, ``wandb.run``), so that the next job of a sweep is its own W&B run.
"""

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from thaw.errors import StorageError
from thaw.storage import write_text
from thaw.track import reach
from thaw.track.config import WandbConfig
from thaw.track.plain import plain
from thaw.track.redact import redact
from thaw.track.wandb_files import aside, recordings, refusal, remove, room
from thaw.track.wandb_process import Patience, forget_run, lost, own_hooks, surroundings
from thaw.track.wandb_run import SETTINGS as SETTINGS
from thaw.track.wandb_run import STEP as STEP
from thaw.track.wandb_run import WandbRun, artifact, exists, uri

PATIENCE_SECONDS = 15.0  # that W&B may keep a run waiting, all in all
START_SECONDS, CALL_SECONDS, LAST_SECONDS = 6.0, 3.0, 6.5  # of them at once: for a start, a line, the end
IDENTITY = "mirror.json"  # in the folder wandb/: what W&B knows the run by; a resumed one continues it
FETCHED = "fetched"  # the mode that file names where the run folder is a copy of the W&B run
BESIDE = "wandb-beside"  # where W&B records when there is no room in wandb/
WITHOUT = "going on without it, the run folder has everything"
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")

Call = Callable[[Any], object]


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
        self._resumed = resumed
        self._about = WandbRun(
            identity=self._wandb_id(run_id), project=config.project, entity=config.entity, name=name, group=group,
            job_type=job_type, tags=[*config.tags, *tags], settings=redact(plain(settings or {})),
        )  # fmt: skip
        self._run: Any = None
        self._surroundings: contextlib.ExitStack | None = None
        self._at = self.folder  # where W&B records: its folder is `wandb` there
        self._patience = Patience(PATIENCE_SECONDS)
        self._calls: list[Call] = []  # what W&B was told, to tell it again
        self._again = False  # whether it was told again
        self._earlier: list[Path] = []  # recordings of the run before it was resumed

    def __enter__(self) -> Self:
        begun = time.monotonic()
        self.mode, reason = reach.decide(self.config.mode)
        self._patience.spend(time.monotonic() - begun)
        if self.mode == "disabled":
            return self
        if reason is not None:
            self._tell(f"{reason}; recording offline")
        self._surroundings = contextlib.ExitStack()
        self._earlier = recordings(self.folder / "wandb", self._about.identity)
        try:
            self._start()
        except BaseException:
            forget_run()
            self._surroundings.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._surroundings is None:
            return
        with self._surroundings:
            if isinstance(error, Exception):
                self.summary({"error": _line(error)})
            self._try(lambda run: run.finish(exit_code=_exit_code(error)), LAST_SECONDS)
        self._run = self._surroundings = None
        self._calls.clear()

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
        content, uris = redact(plain(metadata or {})), [uri(str(one)) for one in references if exists(str(one))]

        def attempt(run: Any) -> None:
            try:
                artifact(run, name, type, content, uris, used)
            except OSError:  # the connection is gone
                raise
            except Exception as error:
                self._tell(f"the artifact {name} is not recorded ({_line(error)})")

        self._try(attempt)

    def _wandb_id(self, run_id: str) -> str:
        """Return a new W&B id, or that of the run that is resumed.

        New for each try: the run id alone names the same run in two studies, and W&B refuses the id of a deleted run.
        """
        if self._resumed:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                known = json.loads((self.folder / "wandb" / IDENTITY).read_text("utf-8"))["id"]
                if isinstance(known, str) and _ID.fullmatch(known):
                    return known
        return f"{run_id}-{os.urandom(3).hex()}"

    def _start(self) -> None:
        """Start W&B as decided; offline when online fails; not at all when that fails too."""
        if (self.folder / "wandb").is_symlink():
            self.mode = "offline"  # beside it: W&B would write to wherever the link leads
        if self.mode == "online":
            try:
                self._run = self._begin("online", self.folder)
                return
            except Exception as error:
                self._undo(self.folder)
                reach.remember("the W&B server failed at the start of an earlier run")
                self._tell(f"did not start ({_line(error)}); recording offline")
                self.mode = "offline"
        try:
            place = self._place()
            self._run = self._begin("offline", place)
        except Exception as error:
            self._undo(self._at)
            self._tell(f"did not start ({_line(error)}); {WITHOUT}")
            self.mode = "disabled"
        else:
            if place != self.folder:
                self._tell(f"no room in {self.folder / 'wandb'}; recording offline, {_later(place)}")

    def _place(self) -> Path:
        """Return where W&B can record: in the run folder, in a folder of it where ``wandb/`` is full or no folder."""
        if room(self.folder / "wandb"):
            return self.folder
        if not room(self.folder / BESIDE / "wandb"):
            raise StorageError(f"no room in {self.folder}")
        return self.folder / BESIDE

    def _begin(self, mode: Literal["online", "offline"], place: Path) -> Any:
        """Begin a recording and return W&B's object for it."""
        import wandb  # noqa: F401  loading it is no waiting

        assert self._surroundings is not None
        self._at = place
        self._surroundings.enter_context(surroundings(place / "wandb"))
        begun: list[Any] = []

        def begin() -> None:
            begun.append(self._about.begin(place, mode, self._resumed))

        with own_hooks():
            try:
                self._patience.within(START_SECONDS, begin)
            except Exception as error:
                if not lost(error):
                    raise
                forget_run()  # the side process died since an earlier run of this process; a new one is started
                self._patience.within(START_SECONDS, begin)
        (run,) = begun
        self.url = run.url if mode == "online" else self.url
        write_text(place / "wandb" / IDENTITY, json.dumps(self._about.known(run, mode, self.url)) + "\n")
        return run

    def _try(self, call: Call, last: float | None = None) -> None:
        """Tell W&B something, at its end within ``last`` seconds; when it is lost, tell everything anew, offline."""
        if self._run is None:
            return
        self._calls.append(call)
        try:
            self._patience.within(last or CALL_SECONDS, lambda: call(self._run))
        except Exception as error:
            if last and isinstance(error, TimeoutError) and self.url:
                reach.remember("the W&B server took too long at the end of an earlier run")
                self._lost("the server did not take everything in time")
            else:
                self._lost(_line(error))
        else:
            if last and (reason := self._cut()):
                self._lost(reason)

    def _cut(self) -> str | None:
        """Return why a recording that has ended is not whole, as far as that can be told; None if it is."""
        if not room(self._at / "wandb"):
            return f"no room in {self._at / 'wandb'}"
        refused = [refusal(one) for one in self._recordings(self._at)] if self.url else []
        return next((f"the server did not take everything: {reason}" for reason in refused if reason), None)

    def _lost(self, reason: str) -> None:
        """Make the recording anew, offline, from what W&B was told so far; once, then go on without it."""
        self._run = None
        forget_run()
        if self._again:
            self._tell(f"{reason}; {WITHOUT}")
            return
        self._again = True
        try:
            place = self._place()
            with aside(self._recordings(self.folder)):
                try:
                    run = self._begin("offline", place)
                    self._patience.within(LAST_SECONDS, lambda: [call(run) for call in self._calls])
                except Exception:
                    self._undo(place)
                    raise
        except Exception as error:
            self._tell(f"{reason}; not recorded anew ({_line(error)}), {WITHOUT}")
            return
        self._run = run
        self._tell(f"{reason}; recorded anew offline, {_later(place)}")

    def _undo(self, place: Path) -> None:
        forget_run()
        remove(self._recordings(place))

    def _recordings(self, place: Path) -> list[Path]:
        """Return what was begun here for this run, without what an earlier part of a resumed run left."""
        return [one for one in recordings(place / "wandb", self._about.identity) if one not in self._earlier]

    def _tell(self, text: str) -> None:
        if reach.first_time(text):
            print(f"W&B: {redact(text)}", file=sys.stderr, flush=True)


def _exit_code(error: BaseException | None) -> int:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return 0
    return 1 if isinstance(error, Exception) else 255  # 255 is W&B's code of a run that was stopped


def _later(place: Path) -> str:
    return f"upload it later: wandb sync {place / 'wandb'}"


def _line(error: BaseException) -> str:
    text = " ".join(str(error).partition("Consider increasing")[0].split())
    return text[:200].rstrip(" .") or type(error).__name__
