"""Contestants in processes of their own that live through all rounds: none shares another's allocator or threads."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


def _serve(connection: Connection, make: Callable[..., Callable[..., Any]], arguments: dict[str, Any]) -> None:
    measure = make(**arguments)
    while (given := connection.recv()) is not None:
        connection.send(measure(*given))


class Contestant:
    """``make(**arguments)`` runs once in the new process and returns what measures; calling this asks it for a value,
    with whatever it is given.

    What is measured returns seconds or a rate; a tuple's further parts are kept in ``notes`` (warm-up and the like).
    """

    def __init__(self, make: Callable[..., Callable[..., Any]], **arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
        self._process.start()
        self.notes: list[Any] = []

    def __call__(self, *given: Any) -> float:
        self._connection.send(given)
        found = self._connection.recv()
        value, *notes = found if isinstance(found, tuple) else (found,)
        self.notes.append(notes)
        return float(value)

    def close(self) -> None:
        """End the process."""
        self._connection.send(None)
        self._process.join()
