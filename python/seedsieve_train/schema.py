"""Columns of a data set, schema versions 1 to 5 (docs/architecture/data-flow.md says what each means)."""

import pyarrow as pa

from .windows import PACKED_WINDOW_BYTES

SCHEMA_VERSION = 5
"""The newest version of the columns that this package reads."""

MATCH_MASK_BYTES = 32
"""Bytes of left_matches and right_matches: bit i (byte i // 8, bit i % 8 from the lowest) is the base i + 1 away."""


def _filled(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


SCHEMA = pa.schema(
    [
        _filled("sample", pa.string()),
        _filled("read_hash", pa.uint64()),
        _filled("mate", pa.uint8()),
        _filled("read_length", pa.uint16()),
        _filled("query_start", pa.uint16()),
        _filled("length", pa.uint16()),
        _filled("contig", pa.string()),
        _filled("position", pa.uint32()),
        _filled("reverse", pa.bool_()),
        _filled("occurrences", pa.uint32()),
        pa.field("chain", pa.int32()),
        pa.field("chain_weight", pa.int32()),
        _filled("chain_kept", pa.bool_()),
        _filled("extended", pa.bool_()),
        _filled("ungapped_score", pa.int32()),
        _filled("own_score", pa.int32()),
        _filled("own_query_start", pa.uint16()),
        _filled("own_query_end", pa.uint16()),
        pa.field("region_score", pa.int32()),
        pa.field("region_distance", pa.int32()),
        _filled("role", pa.string()),
        _filled("read_best", pa.int32()),
        _filled("read_second", pa.int32()),
        pa.field("locus_contig", pa.string()),
        pa.field("locus_position", pa.uint32()),
        pa.field("source_mapped", pa.bool_()),
        pa.field("source_mapq", pa.uint8()),
        pa.field("source_on_path", pa.bool_()),
        pa.field("own_left_score", pa.int32()),
        pa.field("own_band", pa.uint16()),
        pa.field("own_reference_before", pa.uint16()),
        pa.field("own_reference_after", pa.uint16()),
        pa.field("seed_quality", pa.uint8()),
        pa.field("flank_quality", pa.uint8()),
        pa.field("true_contig", pa.string()),
        pa.field("true_position", pa.uint32()),
        pa.field("true_reverse", pa.bool_()),
        pa.field("true_on_path", pa.bool_()),
        pa.field("weight", pa.float64()),
        pa.field("left_matches", pa.binary(MATCH_MASK_BYTES)),
        pa.field("right_matches", pa.binary(MATCH_MASK_BYTES)),
        pa.field("seeding_round", pa.uint8()),
        pa.field("rescue_anchor", pa.bool_()),
        pa.field("own_computed", pa.bool_()),
        pa.field("gap_bound", pa.int32()),
        pa.field("narrow_score", pa.int32()),
        _filled("query_window", pa.binary(PACKED_WINDOW_BYTES)),
        _filled("reference_window", pa.binary(PACKED_WINDOW_BYTES)),
    ]
)
"""Names, types and whether null is allowed, in the order of the columns of version 5; version 4 lacks narrow_score,
version 3 gap_bound, too, version 2 what is from left_matches on, version 1 what is from own_left_score on, but for the
windows."""


def violations(found: pa.Schema, columns: list[str]) -> list[str]:
    """What of `found` contradicts the schema in these columns, in words; empty when nothing does."""
    problems = []
    for name in columns:
        expected = SCHEMA.field(name).type
        number = found.get_field_index(name)
        if number < 0:
            problems.append(f"no column {name}")
        elif found.field(number).type != expected:
            problems.append(f"the column {name} is {found.field(number).type}, valid is {expected}")
    return problems
