"""select_samples on a made-up panel and a made-up index in the official form."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

import select_samples
from balanced_selection import Candidate, select
from downloads import DataError
from sample_manifest import read_samples, without_files
from sequence_index import read_index

COMMITTED = Path(__file__).resolve().parents[2] / "data-manifests" / "prjeb31736_100.toml"
COLUMNS = [
    *("ENA_FILE_PATH", "MD5SUM", "RUN_ID", "STUDY_ID", "STUDY_NAME", "CENTER_NAME", "SUBMISSION_ID"),
    *("SUBMISSION_DATE", "SAMPLE_ID", "SAMPLE_NAME", "POPULATION", "EXPERIMENT_ID", "INSTRUMENT_PLATFORM"),
    *("INSTRUMENT_MODEL", "LIBRARY_NAME", "RUN_NAME", "INSERT_SIZE", "LIBRARY_LAYOUT", "PAIRED_FASTQ"),
    *("READ_COUNT", "BASE_COUNT", "ANALYSIS_GROUP"),
]


def people(populations: int = 4, of_each_sex: int = 6) -> list[Candidate]:
    """Populations P00, P01 ... in the super-populations S0 and S1."""
    return [
        Candidate(f"M{population}{sex[0].upper()}{number}", f"P{population:02}", f"S{population % 2}", sex)
        for population in range(populations)
        for sex in ("female", "male")
        for number in range(of_each_sex)
    ]


def write_panel(path: Path, candidates: list[Candidate]) -> Path:
    rows = [f"{one.name}\t{one.population}\t{one.super_population}\t{one.sex}" for one in candidates]
    path.write_text("\n".join(["sample\tpop\tsuper_pop\tgender", *rows]) + "\n")
    return path


def index_row(name: str, number: int, **changes: str) -> str:
    row = dict.fromkeys(COLUMNS, "made-up")
    row |= {
        "ENA_FILE_PATH": f"ftp://made-up.invalid/vol1/run/ERR000/ERR{number:07}/{name}.final.cram",
        "MD5SUM": f"{number:032x}",
        "RUN_ID": f"ERR{number:07}",
        "SAMPLE_NAME": name,
    }
    return "\t".join((row | changes).values())


def write_index(path: Path, rows: list[str]) -> Path:
    head = ["##FileDate=20000101", "##ENA_FILE_PATH=path to ENA file on ENA ftp site", "##All entries are made up."]
    path.write_text("\n".join([*head, "#" + "\t".join(COLUMNS), *rows]) + "\n")
    return path


def run(folder: Path, *more: str) -> tuple[int, Path]:
    panel = write_panel(folder / "panel.tsv", people())
    output = folder / "samples.toml"
    arguments = ["--panel", str(panel), "--samples", "12", "--validation", "2", "--test", "2", "-o", str(output)]
    return select_samples.main([*arguments, *more]), output


@pytest.mark.parametrize("samples", [8, 10, 11, 13, 16])
def test_populations_and_sexes_are_balanced(samples: int) -> None:
    choices = [choice.candidate for choice in select(people(), samples, {"validation": 2, "test": 2}, seed=1)]
    assert len({one.name for one in choices}) == samples
    of_population = Counter(one.population for one in choices)
    assert len(of_population) == 4 and max(of_population.values()) - min(of_population.values()) <= 1
    sexes = Counter(one.sex for one in choices)
    assert abs(sexes["female"] - sexes["male"]) <= 1
    of_group = Counter(one.super_population for one in choices)
    assert abs(of_group["S0"] - of_group["S1"]) <= 1


def test_held_out_parts_spread_over_super_populations_sexes_and_populations() -> None:
    choices = select(people(), 16, {"validation": 2, "test": 2}, seed=3)
    assert Counter(choice.part for choice in choices) == {"train": 12, "validation": 2, "test": 2}
    held_out = [choice.candidate for choice in choices if choice.part != "train"]
    assert len({one.population for one in held_out}) == 4
    for part in ("validation", "test"):
        of_part = [choice.candidate for choice in choices if choice.part == part]
        assert {one.sex for one in of_part} == {"female", "male"}
        assert {one.super_population for one in of_part} == {"S0", "S1"}


def test_the_selection_depends_on_the_seed_and_on_nothing_else() -> None:
    parts = {"validation": 1, "test": 1}
    first = select(people(), 8, parts, seed=1)
    assert select(people()[::-1], 8, parts, seed=1) == first
    assert select(people(), 8, parts, seed=2) != first
    # Who is not selected may leave without a change.
    names = {choice.candidate.name for choice in first}
    out = next(one for one in people() if one.name not in names)
    assert select([one for one in people() if one != out], 8, parts, seed=1) == first


def test_too_few_candidates_and_impossible_parts_are_named() -> None:
    with pytest.raises(DataError, match=r"population P0[0-9] has 6 female samples, 7 are wanted"):
        select(people(), 56, {"validation": 1}, seed=1)
    with pytest.raises(DataError, match="at most all samples"):
        select(people(), 3, {"validation": 2, "test": 2}, seed=1)
    with pytest.raises(DataError, match="no sample to select from"):
        select([], 3, {}, seed=1)


def test_without_an_index_the_manifest_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, output = run(tmp_path)
    assert status == 0
    content = tomllib.loads(output.read_text())
    assert not content["sequence_index"]["filled_in"] and "not filled in" in content["sequence_index"]["missing"]
    assert content["selection"]["seed"] == 1 and "SHA-256(seed:name)" in content["selection"]["method"]
    assert not any({"run", "file"} & set(sample) for sample in content["sample"])
    assert len(without_files(read_samples(output))) == 12
    assert "run again with --sequence-index" in capsys.readouterr().out


def test_an_index_fills_in_runs_and_replaces_samples_that_it_does_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, output = run(tmp_path)
    before = {sample.name: sample for sample in read_samples(output)}
    lost = sorted(before)[0]
    # The official index has names with a blank behind them.
    rows = [
        index_row(one.name, number, SAMPLE_NAME=f"{one.name} ")
        for number, one in enumerate(people(), start=1)
        if one.name != lost
    ]
    index = write_index(tmp_path / "made_up.sequence.index", rows)
    status, output = run(tmp_path, "--sequence-index", str(index))
    assert status == 0
    after = {sample.name: sample for sample in read_samples(output)}
    assert set(before) - set(after) == {lost} and len(after) == 12 and not without_files(list(after.values()))
    number = {one.name: place for place, one in enumerate(people(), start=1)}
    for sample in after.values():
        run_id = f"ERR{number[sample.name]:07}"
        assert sample.facts["run"] == run_id
        assert sample.files[0].url == f"https://made-up.invalid/vol1/run/ERR000/{run_id}/{sample.name}.final.cram"
        assert sample.files[0].md5 == f"{number[sample.name]:032x}"
        assert sample.files[0].path == f"{sample.name}.final.cram"
    content = tomllib.loads(output.read_text())
    assert content["sequence_index"]["filled_in"]
    assert content["sequence_index"]["source"].startswith("made_up.sequence.index, 20000101, SHA-256 ")
    assert "1 of 48 samples of the panel are not in the index" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"MD5SUM": "abc"}, "line 5: md5 'abc' is not 32 hexadecimal digits"),
        ({"RUN_ID": ""}, "line 5: RUN_ID ''"),
        ({"ENA_FILE_PATH": "vol1/a.cram"}, "line 5: ENA_FILE_PATH 'vol1/a.cram'"),
        ({"SAMPLE_NAME": " "}, "line 5: SAMPLE_NAME is empty"),
        ({"ANALYSIS_GROUP": "a\tb"}, "line 5: 23 columns, 22 are named"),
    ],
)
def test_a_wrong_line_of_the_index_is_named(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    index = write_index(tmp_path / "i", [index_row("A", 1, **changes)])
    with pytest.raises(DataError, match=message):
        read_index(str(index))


def test_what_is_no_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 6: A has a second file"):
        read_index(str(write_index(tmp_path / "i", [index_row("A", 1), index_row("A", 2)])))
    with pytest.raises(DataError, match="names no file"):
        read_index(str(write_index(tmp_path / "i", [])))
    (tmp_path / "i").write_text("sample\tpop\n")
    with pytest.raises(DataError, match="line 1 comes before the line #ENA_FILE_PATH"):
        read_index(str(tmp_path / "i"))
    with pytest.raises(DataError, match="cannot read the sequence index"):
        read_index(str(tmp_path / "missing"))


def test_a_failure_leaves_the_old_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, output = run(tmp_path)
    before = output.read_bytes()
    assert run(tmp_path, "--sequence-index", str(tmp_path / "missing"))[0] == 1
    assert "missing" in capsys.readouterr().err
    assert output.read_bytes() == before
    (tmp_path / "bad.tsv").write_text("sample\tpop\tsuper_pop\tgender\nA\tP\tS\tother\n")
    assert select_samples.main(["--panel", str(tmp_path / "bad.tsv"), "-o", str(output)]) == 1
    assert "line 2: gender 'other'" in capsys.readouterr().err


def test_the_committed_selection_is_balanced() -> None:
    samples = read_samples(COMMITTED)
    assert Counter(sample.part for sample in samples) == {"train": 80, "validation": 10, "test": 10}
    of_population = Counter(sample.facts["population"] for sample in samples)
    assert len(of_population) == 26 and set(of_population.values()) == {3, 4}
    for part, each_sex in (("train", 40), ("validation", 5), ("test", 5)):
        of_part = [sample for sample in samples if sample.part == part]
        assert Counter(sample.facts["sex"] for sample in of_part) == {"female": each_sex, "male": each_sex}
    assert len({sample.facts["population"] for sample in samples if sample.part == "train"}) == 26


def test_the_committed_selection_is_what_the_script_gives(real_data: Path, tmp_path: Path) -> None:
    output = tmp_path / "samples.toml"
    panel = real_data / "kgp30x" / "samples_2504.panel.tsv"
    assert select_samples.main(["--panel", str(panel), "-o", str(output)]) == 0
    assert output.read_text() == COMMITTED.read_text()
