"""The one door to the Hugging Face hub, for data sets, tokenizers and encoders alike.

Decision: the hub's libraries try an unreachable hub again for half a minute a file. So it is asked first, by a request
with a time limit, through the proxies that are set; the answer holds for some minutes, so that a sweep asks once. A hub
that can not be reached is no error where the cache has what is wanted: the libraries are told to look there alone.
"""

import contextlib
import os
import re
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from thaw.errors import ConfigError, ThawError

SECONDS = 5.0  # that the hub may take to answer
REMEMBERED_SECONDS = 300.0
REMEDY = "fetch it where there is a network and set HF_HOME to that cache"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_NOBODY = (407, 502, 503, 504)  # a proxy answers in the hub's place
_answers: dict[str, tuple[float, bool]] = {}  # endpoint -> when, whether it answered


@contextlib.contextmanager
def door(what: str, name: str, instead: str) -> Iterator[None]:
    """Inside, what ``name`` stands for, a folder or a name on the hub, is read by the hub's libraries.

    ``what`` says in an error what is missing, ``instead`` what to give in its place. ConfigError without the
    libraries, and for whatever they raise.
    """
    try:
        import huggingface_hub
    except ImportError:
        raise ConfigError(f"{what}: that needs the extra hf, pip install 'thaw-nlp[hf]', or {instead}") from None
    away = not Path(name).is_dir() and not huggingface_hub.constants.HF_HUB_OFFLINE and not reachable()
    told = huggingface_hub.constants.HF_HUB_OFFLINE and not Path(name).is_dir()
    try:
        with _offline() if away else contextlib.nullcontext():
            yield
    except ThawError:
        raise
    except Exception as error:  # the libraries raise some twenty classes: no network, no such name, split, config, ...
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        if away or told:
            why = f"{endpoint()} does not answer, no network" if away else "HF_HUB_OFFLINE is set"
            raise ConfigError(f"{what}: not in the cache and {why}; {REMEDY}, or {instead}") from None
        raise ConfigError(f"{what}: {reason}; {instead}") from None


def hint(path: str) -> str:
    """Return what to say of a folder that does not exist where its name may be one on the hub, else an empty text."""
    return f"; a name on the hub? thaw import {path} FOLDER brings it in" if _NAME.fullmatch(path) else ""


def endpoint() -> str:
    """Return the address of the hub."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def reachable() -> bool:
    """Return whether the hub answers within `SECONDS`; it is not asked again for some minutes."""
    url = endpoint()
    when, answered = _answers.get(url, (0.0, False))
    if not when or time.monotonic() - when > REMEMBERED_SECONDS:
        found: list[bool] = []
        # in a thread, since the look-up of a name has no time limit
        asking = threading.Thread(target=lambda: found.append(_ask(url)), name="thaw-hub", daemon=True)
        asking.start()
        asking.join(SECONDS)
        answered = found == [True]
        _answers[url] = time.monotonic(), answered
    return answered


def _ask(url: str) -> bool:
    try:
        opener = urllib.request.build_opener()  # urlopen keeps the proxies of its first call
        with opener.open(urllib.request.Request(url, method="HEAD"), timeout=SECONDS):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code not in _NOBODY
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)  # it answers; what it is, the libraries say
    except Exception:  # an address that is none, an answer that is no HTTP
        return False


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Let the hub's libraries look into their cache alone."""
    import huggingface_hub

    places = [(huggingface_hub.constants, "HF_HUB_OFFLINE")]
    with contextlib.suppress(ImportError):
        import datasets

        places.append((datasets.config, "HF_HUB_OFFLINE"))
    before = [getattr(module, name) for module, name in places]
    for module, name in places:
        setattr(module, name, True)
    try:
        yield
    finally:
        for (module, name), value in zip(places, before, strict=True):
            setattr(module, name, value)
