"""Thaw: fair, paired, costed experiments in transfer learning for NLP."""

__version__ = "0.1.0"
