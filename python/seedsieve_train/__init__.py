"""Trains, exports and checks the seed-viability networks of seedsieve.

Formats (data sets, windows, model files) are described in docs/architecture/data-flow.md. Positions and intervals are
0-based and half-open throughout.
"""

__version__ = "0.1.0"
