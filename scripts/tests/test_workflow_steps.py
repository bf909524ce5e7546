"""The workflow's programs one by one, with a stand-in for seedsieve that makes small folders or fails."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import collect_samples
import merge_samples
import sample_step
import with_data_sets
import workflow_report

STAND_IN = """
import json, os, pathlib, signal, sys
words = sys.argv[1:]
reads = [pathlib.Path(word).read_text() for word in words if word.endswith(".bam")]
if "killed" in reads:
    os.kill(os.getpid(), signal.SIGKILL)
if "damaged" in reads:
    sys.exit("progress\\nerror: a.bam: byte 7: is damaged")
if "--output" in words:
    output = pathlib.Path(words[words.index("--output") + 1])
    (output / "data").mkdir(parents=True)
    (output / "data" / "part-00000.parquet").write_text("rows")
    counts = {"reads": 2, "seeds": 10, "viable": 4}
    content = {"counts": counts, "parts": [{"file": "data/part-00000.parquet", "size": 4}], "command": words}
    (output / "dataset.json").write_text(json.dumps(content))
elif "wrong" in words:
    sys.exit(1)
"""


@pytest.fixture
def seedsieve(tmp_path: Path) -> list[str]:
    """A command line that behaves as seedsieve where the steps look."""
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN)
    return [sys.executable, str(program)]


def write_manifest(folder: Path, reads: dict[str, str], **changes: str) -> Path:
    """A sample of the part train for each content of a BAM file; `changes` replaces checksums by name of the sample."""
    entries = ["version = 1"]
    for name, content in reads.items():
        (folder / f"{name}.bam").write_text(content)
        digest = changes.get(name) or hashlib.sha256(content.encode()).hexdigest()
        entries += ["[[sample]]", f'name = "{name}"', 'part = "train"', 'sex = "male"']
        entries += ["[[sample.file]]", f'url = "file:{name}.bam"', f'sha256 = "{digest}"']
    manifest = folder / "samples.toml"
    manifest.write_text("\n".join(entries))
    return manifest


class Steps:
    """The steps of a run below one folder."""

    def __init__(self, folder: Path, manifest: Path, seedsieve: list[str]) -> None:
        self.folder, self.manifest, self.seedsieve = folder, manifest, seedsieve

    def run(self, step: str, sample: str, *more: str) -> int:
        """One step of one sample, with the folders that the rules give."""
        outputs = {"fetch": f"reads/{sample}", "extract": f"seeds/{sample}", "validate": f"validated/{sample}.json"}
        inputs = {"fetch": "", "extract": f"reads/{sample}", "validate": f"seeds/{sample}"}
        scratch = f"unfinished/{step}/{sample}"
        words = [step, "--manifest", str(self.manifest), "--sample", sample]
        for option, path in (("--output", outputs[step]), ("--input", inputs[step]), ("--scratch", scratch)):
            words += [option, str(self.folder / path)]
        (self.folder / "validated").mkdir(exist_ok=True)
        return sample_step.main([*words, "--", *self.seedsieve, *more])

    def all(self, sample: str) -> dict[str, Any]:
        """All steps; what the validation says."""
        for step in ("fetch", "extract", "validate"):
            assert self.run(step, sample) == 0
        return json.loads((self.folder / f"validated/{sample}.json").read_text())


def test_a_sample_goes_through_and_leaves_nothing_unfinished(tmp_path: Path, seedsieve: list[str]) -> None:
    steps = Steps(tmp_path, write_manifest(tmp_path, {"A": "reads"}), seedsieve)
    result = steps.all("A")
    assert (result["failure"], result["part"], result["sex"]) == (None, "train", "male")
    assert (result["reads"], result["seeds"], result["viable"], result["bytes"]) == (2, 10, 4, 4)
    command = json.loads((tmp_path / "seeds/A/dataset.json").read_text())["command"]
    assert command[command.index("--sample") + 1] == "A" and command[-1] == str(tmp_path / "reads/A/A.bam")
    assert [path for path in (tmp_path / "unfinished").rglob("*") if path.is_file()] == []


def test_regions_are_left_to_extract_seeds_where_a_file_has_an_index(tmp_path: Path, seedsieve: list[str]) -> None:
    """BAM and CRAM at addresses are not fetched whole; what has no index is, and so is what lies here."""
    manifest = write_manifest(tmp_path, {"A": "good"})
    remote = '[[sample.file]]\nurl = "https://host.invalid/{0}"\nmd5 = "{1}"\n'
    digest = "0" * 32
    manifest.write_text(manifest.read_text() + "\n" + remote.format("b.cram", digest))
    common = ["--manifest", str(manifest), "--sample", "A"]
    reads = ["--scratch", str(tmp_path / "scratch"), "--output", str(tmp_path / "reads")]
    assert sample_step.main(["fetch", *common, *reads, "--excerpts"]) == 0
    assert sorted(path.name for path in (tmp_path / "reads").iterdir()) == ["A.bam", "addresses.json"]
    seeds = [
        "--input",
        str(tmp_path / "reads"),
        "--scratch",
        str(tmp_path / "more"),
        "--output",
        str(tmp_path / "seeds"),
    ]
    assert sample_step.main(["extract", *common, *seeds, "--", *seedsieve, "extract-seeds", "--region", "chr1"]) == 0
    command = json.loads((tmp_path / "seeds" / "dataset.json").read_text())["command"]
    assert command[-2:] == [str(tmp_path / "reads" / "A.bam"), "https://host.invalid/b.cram"]


def test_damage_is_a_result_that_is_handed_on(tmp_path: Path, seedsieve: list[str]) -> None:
    steps = Steps(tmp_path, write_manifest(tmp_path, {"A": "damaged", "B": "reads"}, B="00" * 32), seedsieve)
    found = steps.all("A")["failure"]
    assert found == {"sample": "A", "step": "extract", "message": "a.bam: byte 7: is damaged"}
    assert [path.name for path in (tmp_path / "seeds/A").iterdir()] == ["failure.json"]
    found = steps.all("B")["failure"]
    assert found["step"] == "fetch" and "B.bam is not the file of the manifest: SHA-256" in found["message"]
    # Another attempt with the right file overcomes the old failure.
    steps.manifest = write_manifest(tmp_path, {"A": "reads", "B": "reads"})
    assert steps.all("B")["failure"] is None
    assert steps.run("validate", "B", "wrong") == 0
    found = json.loads((tmp_path / "validated/B.json").read_text())["failure"]
    assert (found["step"], found["message"]) == ("validate", "exit status 1: it said nothing")


def test_a_step_that_was_killed_fails(tmp_path: Path, seedsieve: list[str]) -> None:
    steps = Steps(tmp_path, write_manifest(tmp_path, {"A": "killed"}), seedsieve)
    assert steps.run("fetch", "A") == 0
    with pytest.raises(SystemExit, match="ended by signal 9"):
        steps.run("extract", "A")
    assert not (tmp_path / "seeds/A").exists()


def test_wrong_arguments_fail(tmp_path: Path, seedsieve: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps(tmp_path, write_manifest(tmp_path, {"A": "reads"}), seedsieve)
    assert steps.run("fetch", "B") == 1
    assert "names no sample B" in capsys.readouterr().err
    assert steps.run("fetch", "A") == 0
    steps.seedsieve = [str(tmp_path / "no-such-program")]
    assert steps.run("extract", "A") == 1
    assert "no-such-program" in capsys.readouterr().err


def of_samples(folder: Path, names: list[str]) -> list[str]:
    """The options that name seeds and results."""
    seeds = [str(folder / "seeds" / name) for name in names]
    return ["--seeds", *seeds, "--results", *(str(folder / "validated" / f"{name}.json") for name in names)]


def merged(folder: Path, names: list[str], seedsieve: list[str]) -> int:
    words = ["--output", str(folder / "merged/train"), "--scratch", str(folder / "unfinished/merged/train")]
    return merge_samples.main([*of_samples(folder, names), *words, "--", *seedsieve, "dataset", "merge"])


def collected(folder: Path, names: list[str], allowed: int) -> int:
    words = ["--output", str(folder / "dataset"), "--allowed-failures", str(allowed)]
    return collect_samples.main([*of_samples(folder, names), *words, "--merged", str(folder / "merged/train")])


def test_the_collection_has_what_did_not_fail(
    tmp_path: Path, seedsieve: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    steps = Steps(tmp_path, write_manifest(tmp_path, {"A": "reads", "B": "damaged", "C": "reads"}), seedsieve)
    for name in "ABC":
        steps.all(name)
    assert merged(tmp_path, ["A", "B", "C"], seedsieve) == 0
    # What failed is not merged.
    command = json.loads((tmp_path / "merged/train/dataset.json").read_text())["command"]
    assert command[-2:] == [str(tmp_path / "seeds" / name) for name in "AC"]
    capsys.readouterr()
    assert collected(tmp_path, ["A", "B", "C"], allowed=0) == 1
    said = capsys.readouterr().err
    assert (
        "1 of 3 samples failed:\n  B: extract: a.bam: byte 7: is damaged" in said and "1 samples failed, 0 may" in said
    )
    assert not (tmp_path / "dataset").exists()
    # The stand-in merges to as many seeds as a sample has.
    assert collected(tmp_path, ["A", "B", "C"], allowed=1) == 1
    assert "merged/train: 10 seeds, its samples have 20" in capsys.readouterr().err
    content = json.loads((tmp_path / "merged/train/dataset.json").read_text())
    content["counts"]["seeds"] = 20
    (tmp_path / "merged/train/dataset.json").write_text(json.dumps(content))
    for _ in range(2):
        assert collected(tmp_path, ["A", "B", "C"], allowed=1) == 0
    folders = [
        str(path.relative_to(tmp_path / "dataset")) for path in collect_samples.data_sets(tmp_path / "dataset", "train")
    ]
    assert folders == ["split=train"]
    part = tmp_path / "dataset/split=train/data/part-00000.parquet"
    assert part.read_text() == "rows" and os.path.samefile(part, tmp_path / "merged/train/data/part-00000.parquet")
    summary = json.loads((tmp_path / "dataset/samples.json").read_text())
    assert summary["parts"]["train"] == {"samples": 2, "reads": 4, "seeds": 20, "viable": 8, "bytes": 8}
    assert [one["sample"] for one in summary["failed"]] == ["B"]
    assert collected(tmp_path, ["B"], allowed=1) == 1
    # A part without a sample that did not fail is empty, and no data set.
    assert merged(tmp_path, ["B"], seedsieve) == 0
    assert list((tmp_path / "merged/train").iterdir()) == []
    steps.seedsieve = [str(tmp_path / "no-such-program")]
    assert merged(tmp_path, ["A"], steps.seedsieve) == 1
    assert "no-such-program" in capsys.readouterr().err


def test_the_data_sets_of_parts_become_options(tmp_path: Path) -> None:
    a, b, c = (tmp_path / f"split={part}" for part in ("train", "validation", "test"))
    for folder in (a, b, c):
        folder.mkdir()
        (folder / "dataset.json").touch()
    options = ["--data", "train,validation", "--test-data", "test"]
    assert with_data_sets.expanded(tmp_path, options) == ["--data", f"{a}", "--data", f"{b}", "--test-data", f"{c}"]
    assert with_data_sets.expanded(tmp_path, ["--data", "first:test,train"]) == ["--data", str(c)]
    (b / "dataset.json").unlink()
    assert with_data_sets.expanded(tmp_path, ["--data", "validation,train"]) == ["--data", str(a)]
    with pytest.raises(ValueError, match="part training; valid are train"):
        with_data_sets.expanded(tmp_path, ["--data", "training"])


def test_the_report_names_failures_and_escapes_what_it_is_given() -> None:
    interval = {"value": 0.1, "low": 0.05, "high": 0.2}
    rates = {"0.95": 0.1, "0.99": 0.2, "0.999": 0.3}
    metrics = {
        "name": "tiny",
        "parameters": 1234,
        "policy": "near-best",
        "label_threshold": 30,
        "threshold": 0.25,
        "threshold_origin": "chosen <here>",
        "counts": {"test": {"viable": 1000, "hopeless": 20}},
        "test": {"auc": 0.9, "fpr_at_tpr": rates},
        "int8": {"auc": 0.8, "fpr_at_tpr": rates},
    }
    samples = {
        "parts": {"train": dict.fromkeys(workflow_report.PART_COLUMNS, 12345)},
        "failed": [{"sample": "B", "step": "extract", "message": "a<b"}],
        "samples": [{"sample": "A", "part": "train", "reads": 1, "seeds": 2, "viable": 1, "bytes": 3}],
    }
    scorers = {"trees": {"auc": 0.7, "fpr_at_tpr": dict.fromkeys(rates, interval)}, "none": None}
    baselines = {
        "policies": {
            "near-best": {"viable": 5, "hopeless": 6, "scorers": scorers},
            "contributed": {"viable": 0, "hopeless": 6, "scorers": {}},
        },
        "data": ["a"],
        "test_data": ["b"],
        "confidence": 0.95,
        "resamples": 30,
    }
    page = workflow_report.report(samples, metrics, "ort - PyTorch <= 1e-6", baselines)
    for words in (
        "1 of 2 samples failed",
        "<td>B</td><td>extract</td><td>a&lt;b</td>",
        "<td>12,345</td>",
        "ort - PyTorch &lt;= 1e-6",
        "chosen &lt;here&gt;",
        "10.00 % (5.00 to 20.00)",
        "learnt from one class only",
        "one class only: no figures",
        "the test part's people",
    ):
        assert words in page, words
