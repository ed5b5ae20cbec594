"""The figures of the page as SVG and PNG files, drawn by matplotlib: no browser, light theme, text stays text."""
