"""One recording by W&B: begun, told, lost and made anew, ended. It lies in the run folder, online too.

Decisions: an offline recording that does not start at once starts while the run goes on; what W&B was told is kept
until the end, so that a recording that did not start, or was lost (its side process killed or stuck, the server gone),
is made then, offline and whole.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from thaw.errors import StorageError
from thaw.storage import write_text
from thaw.track import reach
from thaw.track.redact import redact
from thaw.track.wandb_files import IDENTITY, ROWS, Aside, aside, place, places, recordings, refusal, remove, room, sent
from thaw.track.wandb_process import MOST_SECONDS, Call, Patience, forget_run, lost, own_hooks, surroundings
from thaw.track.wandb_run import WandbRun
from thaw.track.wandb_told import Told, later, line

PATIENCE_SECONDS = 15.0  # that W&B may keep a run waiting, all in all, by its own clock (wandb_process)
FIRST_SECONDS = 2.0  # of the wall clock that a run waits for an offline start before it goes on meanwhile
START_SECONDS, CALL_SECONDS, LAST_SECONDS = 6.0, 3.0, 6.5  # of them at once: for a start, a line, the end
WITHOUT = "going on without it, the run folder has everything"

Mode = Literal["online", "offline"]


class Recording:
    """What W&B records of one run; nothing of it raises.

    ``whole`` says what there is of it, and after the end what there is whole: ``online``, ``offline`` or ``none``.
    """

    def __init__(self, folder: Path, about: WandbRun, before: dict[str, Any]) -> None:
        self.folder, self.about = folder, about
        self.url: str | None = None
        self.whole: Literal["online", "offline", "none"] = "none"
        self.patience = Patience(PATIENCE_SECONDS)
        self.last = LAST_SECONDS  # for the end; more where files are sent
        self.told = Told(before.get("rows", 0))
        self._run: Any = None
        self._starting: tuple[Call, Path, list[Any]] | None = None  # a start that goes on beside the run
        self._surroundings = contextlib.ExitStack()
        self._at = folder  # where W&B records: its folder is `wandb` there
        self._again = False  # whether W&B was told everything again
        self._reason = "did not start"  # why there is no recording
        self._earlier = [one for at in places(folder) for one in recordings(at, about.identity)]  # of a resumed run
        self._aside = Aside([])  # those of them that this one replaces
        self._there = before.get("mode") == "online" or any(sent(one) for one in self._earlier)  # the server has some

    def start(self, mode: Mode) -> Mode:
        """Start W&B as decided, offline when online fails, which may go on while the run does; return the mode."""
        try:
            return self._start(mode)
        except BaseException:
            forget_run()
            self._surroundings.close()
            raise

    def _start(self, mode: Mode) -> Mode:
        if mode == "online" and not (self.folder / "wandb").is_symlink():  # W&B would write to wherever it leads
            try:
                self._begin("online", self.folder)
                return mode
            except Exception as error:
                self._undo(self.folder)
                reach.remember("the W&B server failed at the start of an earlier run")
                self.tell(f"did not start ({line(error)}); recording offline")
        try:
            at = place(self.folder)
            self._starting = self._beginning("offline", at)
        except Exception as error:
            self._reason = f"did not start ({line(error)})"
            return "offline"
        if at != self.folder:
            self.tell(f"no room in {self.folder / 'wandb'}; recording offline, {later(at)}")
        self._started(FIRST_SECONDS, give_up=False)
        return "offline"

    def say(self, call: Callable[[Any], object], seconds: float | None = None, last: bool = False) -> None:
        """Tell W&B something, its end with ``last``; when it is lost, tell everything anew, offline."""
        if self._again and self._run is None:
            return
        self.told.add(call)
        self._started()
        if self._run is None:
            return
        limit = CALL_SECONDS if seconds is None else seconds
        limit = limit if self.told.late() == 1 else max(limit, LAST_SECONDS)
        try:
            self.patience.within(limit, lambda: self.told.tell(self._run))
        except Exception as error:
            if last and isinstance(error, TimeoutError) and self.url:
                reach.remember("the W&B server took too long at the end of an earlier run")
                self._lost("the server did not take everything in time")
            else:
                self._lost(line(error))
        else:
            if last and (reason := self._cut()):
                self._lost(reason)

    def earlier(self, rows: Iterable[dict[str, Any]]) -> None:
        """Tell W&B the rows from before the run was resumed, unless the server has them; they are told before others.

        What lies in files of them is replaced by this recording.
        """
        if self._there:
            return
        self.told.first = 0
        self._aside, self._earlier = Aside(self._earlier), []
        calls = [self.told.row(row) for row in rows]
        if calls:
            self.say(lambda run: [call(run) for call in calls], LAST_SECONDS)

    def end(self, code: int) -> None:
        """End it with an exit code: 0, 1 of a run that failed, 255 of one that was stopped."""
        with self._surroundings:
            self._started(LAST_SECONDS)
            if self._run is None and not self._again:
                self._lost(self._reason)
            self.say(lambda run: run.finish(exit_code=code), self.last, last=True)
        if self._run is None:
            self.whole = "none"
            self._aside.back()
        else:
            self._count(self.told.next, ended=True)
            self._aside.remove()
        self._run = None
        self.told.clear()

    def _started(self, seconds: float = 0.0, give_up: bool = True) -> None:
        """Look whether a start has come to its end, for so many of W&B's seconds.

        It is given up when they are over, or when it has taken a start's seconds of the CPU beside the run. Without
        ``give_up`` they are those of the wall clock.
        """
        if self._starting is None:
            return
        call, at, begun = self._starting
        most = MOST_SECONDS if give_up else seconds
        ended = self.patience.wait(call, seconds, most) if seconds else call.ended()
        if not ended and not (seconds and give_up) and call.cpu < START_SECONDS:
            return
        self._starting = None
        try:
            call.end()
            self._begun("offline", at, begun)
        except Exception as error:
            self._reason = f"did not start ({line(error)})"
            self._undo(at)

    def _begin(self, mode: Mode, at: Path) -> None:
        """Begin, and wait for it."""
        call, _, begun = self._beginning(mode, at)
        self.patience.wait(call, START_SECONDS)
        call.end()
        self._begun(mode, at, begun)

    def _beginning(self, mode: Mode, at: Path) -> tuple[Call, Path, list[Any]]:
        """Return a call that begins, where, and the list that will hold W&B's object for it."""
        import wandb  # noqa: F401  loading it is no waiting

        self._at = at
        self._surroundings.enter_context(surroundings(at / "wandb"))
        begun: list[Any] = []

        def begin() -> None:
            with own_hooks():
                try:
                    begun.append(self.about.begin(at, mode, self._there))
                except Exception as error:
                    if not lost(error):
                        raise
                    forget_run()  # the side process died since an earlier run of this process; a new one is started
                    begun.append(self.about.begin(at, mode, self._there))

        return Call(begin), at, begun

    def _begun(self, mode: Mode, at: Path, begun: list[Any]) -> None:
        (run,) = begun
        self.url = run.url if mode == "online" else self.url
        self.told.numbered = not (mode == "online" and self._there)  # else W&B counts on from what the server has
        write_text(at / "wandb" / IDENTITY, json.dumps(self.about.known(run, mode, self.url)) + "\n")
        self._count(self.told.first, ended=False)
        self._run, self.whole = run, mode

    def _count(self, rows: int, ended: bool) -> None:
        """Note how many rows W&B has been told under this id, for a part that goes on beyond them."""
        with contextlib.suppress(StorageError):
            content = {"id": self.about.identity, "rows": rows, "ended": ended}
            write_text(self._at / "wandb" / ROWS, json.dumps(content) + "\n")

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
            self.tell(f"{reason}; {self._without()}")
            return
        self._again = True
        try:
            at = place(self.folder)
            with aside(self._recordings(self.folder)):
                try:
                    self._begin("offline", at)
                    self.patience.within(LAST_SECONDS, lambda: self.told.tell(self._run, anew=True))
                except Exception:
                    self._undo(at)
                    raise
        except Exception as error:
            self._run = None
            self.tell(f"{reason}; not recorded anew ({line(error)}), {self._without()}")
            return
        self.tell(f"{reason}; recorded anew offline, {later(at)}")

    def _without(self) -> str:
        return f"{WITHOUT}; thaw runs --wandb {self.folder.parent} records it later"

    def _undo(self, at: Path) -> None:
        forget_run()
        remove(self._recordings(at))

    def _recordings(self, at: Path) -> list[Path]:
        """Return what was begun here for this run, without what an earlier part of a resumed run left."""
        return [one for one in recordings(at / "wandb", self.about.identity) if one not in self._earlier]

    def tell(self, text: str) -> None:
        """Print a line once in a process."""
        if reach.first_time(text):
            print(f"W&B: {redact(text)}", file=sys.stderr, flush=True)
