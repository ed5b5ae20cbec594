"""What every page is in: head, headline, what all figures show, scripts; one HTML text that needs nothing else.

Decisions: plotly.js is inlined once; texts of runs (names, labels, errors) reach a page through ``html.escape`` or as
JSON without ``<``.
"""

import html
from collections.abc import Sequence
from importlib import resources
from string import Template
from typing import Any

from thaw.report.page.record import as_json

SCRIPTS = ("elements.js", "figures.js")  # of every page


def shell(
    *,
    title: str,
    question: str,
    facts: str,
    tasks: Sequence[str],
    above: str,
    below: str,
    data: Any,
    scripts: Sequence[str],
    footer: str,
    skip: str = "",
    live: str = "",
) -> str:
    """Return a page; ``above`` and ``below`` the choice of a task are HTML, so are ``skip`` and ``live``.

    ``scripts`` are texts that run after those of every page, with ``data`` in sight.
    """
    from plotly.offline import get_plotlyjs

    options = "".join(f'<option value="{html.escape(task)}">{html.escape(task)}</option>' for task in tasks)
    return Template(asset("shell.html")).substitute(
        title=html.escape(title),
        question=html.escape(question),
        facts=html.escape(facts),
        task_options=options,
        skip=skip,
        live=live,
        above=above,
        below=below,
        footer=html.escape(footer),
        data=as_json(data).replace("<", "\\u003c"),  # without < no text can end the script element
        plotly=get_plotlyjs(),
        css=asset("page.css"),
        js="\n".join([*map(asset, SCRIPTS), *scripts]),
    )


def asset(name: str, package: str = "thaw.report.page") -> str:
    """Return a file of a package as text."""
    return resources.files(package).joinpath(name).read_text("utf-8")
