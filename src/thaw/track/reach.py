"""Whether the W&B server can be used, found out before W&B is asked: it would wait for minutes or prompt for a key.

Decisions: one real, authorised request with a time limit, since a port that accepts may still never answer; in a
thread, for a name look-up has no time limit of its own; an outage is remembered for some minutes, so that a sweep pays
for it once and not once a job.
"""

import base64
import configparser
import contextlib
import json
import netrc
import os
import re
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from thaw.track import wandb_variables

DEFAULT_URL = "https://api.forge.coreweave.com"  # of wandb 0.31, whose `wandb login` notes the key under this name
SAME_HOSTS = ("api.forge.coreweave.com", "api.wandb.ai")  # one deployment; earlier versions noted it under the second
NO_KEY = "no API key (run `wandb login` or set WANDB_API_KEY)"
AUTO_SECONDS, ONLINE_SECONDS = 2.0, 3.0  # how long the server may take to answer
REMEMBERED_SECONDS = 300.0

_QUERY = json.dumps({"operationName": "Viewer", "query": "query Viewer { viewer { id entity username } }"}).encode()
_outages: dict[str, tuple[float, str]] = {}  # server -> when, why
_told: set[str] = set()


def decide(mode: str) -> tuple[str, str | None]:
    """Return the mode to use, ``online``, ``offline`` or ``disabled``, and why it is not the wished one.

    ``auto`` follows ``WANDB_MODE`` where that is set, else it is online when there is a key and the server answers.
    Raises ConfigError where it is no mode.
    """
    if mode == "auto":
        mode = wandb_variables.mode() or mode
    if mode in ("offline", "disabled"):
        return mode, None
    url = server()
    key = key_of(url)
    if key is None:
        return "offline", None if mode == "auto" else NO_KEY
    reason = outage(url) or probe(url, key, AUTO_SECONDS if mode == "auto" else ONLINE_SECONDS)
    if reason is not None:
        remember(reason)
    return ("offline", reason) if reason else ("online", None)


def server() -> str:
    """Return the address of the W&B server, as W&B finds it: environment, settings file, default.

    What stands before an ``@`` in it is left out: it would get into files and messages, and the key is sent otherwise.
    """
    if url := os.environ.get("WANDB_BASE_URL"):
        return _bare(url)
    settings = configparser.ConfigParser(interpolation=None)
    with contextlib.suppress(OSError, configparser.Error, UnicodeDecodeError):
        settings.read(Path(os.environ.get("WANDB_CONFIG_DIR") or _home() / ".config" / "wandb") / "settings")
    return _bare(settings.get("default", "base_url", fallback=DEFAULT_URL))


def _bare(url: str) -> str:
    return re.sub(r"(?<=://)[^/?#]*@", "", url).rstrip("/")


def probe(url: str, key: str, seconds: float) -> str | None:
    """Return None when the server answers the key within ``seconds``, else the reason why it can not be used."""
    answer: list[str | None] = []
    thread = threading.Thread(target=lambda: answer.append(_ask(url, key, seconds)), daemon=True)
    thread.start()
    thread.join(seconds)
    return answer[0] if answer else f"{_shown(url)} does not answer within {seconds:g} s"


def outage(url: str) -> str | None:
    """Return why the server could not be used a short time ago, None when nothing is known against it."""
    when, reason = _outages.get(url, (0.0, ""))
    return reason if reason and time.monotonic() - when < REMEMBERED_SECONDS else None


def remember(reason: str) -> None:
    """Note that the server can not be used now: the next runs of this process do not wait for it again."""
    _outages[server()] = time.monotonic(), reason


def first_time(reason: str) -> bool:
    """Return whether ``reason`` was not told before in this process."""
    if reason in _told:
        return False
    _told.add(reason)
    return True


def key_of(url: str) -> str | None:
    """Return the API key for a server, from the environment or netrc, None without one."""
    if key := os.environ.get("WANDB_API_KEY"):
        return key
    with contextlib.suppress(OSError, RuntimeError, netrc.NetrcParseError, UnicodeDecodeError):
        path = Path(os.environ.get("NETRC") or _home() / ".netrc").expanduser()
        found, host = netrc.netrc(path).hosts, urlsplit(url).hostname or ""
        names = [host, *(SAME_HOSTS if host in SAME_HOSTS else ())]
        return next((found[name][2] for name in names if name in found), None)
    return None


def _home() -> Path:
    """Return the home folder; of a user without one (a container's) a path that is nowhere."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.devnull, "home")


def _ask(url: str, key: str, seconds: float) -> str | None:
    login = base64.b64encode(f"api:{key}".encode()).decode("ascii")
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json", "User-Agent": "thaw"}
    try:
        request = urllib.request.Request(f"{url}/graphql", data=_QUERY, headers=headers)
        with urllib.request.urlopen(request, timeout=seconds + 1) as response:
            content = json.loads(response.read(1 << 20))
        viewer = (content.get("data") or {}).get("viewer")
    except urllib.error.HTTPError as error:
        error.close()
        return refused(url) if error.code in (401, 403) else f"{_shown(url)} answers HTTP {error.code}"
    except Exception as error:  # of the network, of a server that is something else: all mean it can not be used
        reason = getattr(error, "reason", error)
        return f"{_shown(url)} is not reachable ({' '.join(str(reason).split()) or type(error).__name__})"
    return None if viewer else refused(url)


def refused(url: str) -> str:
    """Return the reason that `probe` gives for a key the server does not accept."""
    return f"{_shown(url)} refuses the API key"


def _shown(url: str) -> str:
    return urlsplit(url).hostname or "the W&B server"
