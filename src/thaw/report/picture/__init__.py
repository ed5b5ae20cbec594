"""The figures of the page as SVG and PNG files, drawn by matplotlib: no browser, light theme, text stays text."""

import logging

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a HOME that can not be written
