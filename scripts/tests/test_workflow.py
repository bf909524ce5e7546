"""The workflow from end to end on real reads: three samples at once, one of them damaged."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import REPOSITORY, skip_or_fail

WORKFLOW = REPOSITORY / "scripts" / "workflow"
SEEDSIEVE = REPOSITORY / "target" / "release" / "seedsieve"
NOT_OF_A_SAMPLE = {
    "index": 1,
    "merge": 2,
    "collect": 1,
    "train": 1,
    "verify_model": 1,
    "evaluate": 1,
    "report": 1,
    "all": 1,
}
# What a test on two cores has time for; blocks so small that 80 kb fall into all three parts.
SETTINGS = """
extract: {threads: 1, read_pairs: 5000}
balance: {seeds: 10000}
training: {name: tiny, epochs: 1, block_bases: 7000, threads: 2, max_seeds: 40000, device: cpu}
evaluation: {max_seeds: 20000, resamples: 20, threads: 2}
"""


class Run:
    """Snakemake on one configuration; everything is made below `folder`."""

    def __init__(self, folder: Path, real_data: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.reads = real_data / "kgp30x"
        self.reference = self.reads / "GRCh38_chr21_chr22_16.57-16.80M.mdref.fa.gz"
        whole = self.reads / "NA12878.chr21_chr22.16.57-16.61M.bam"
        self.damaged = folder / "damaged.bam"
        self.damaged.write_bytes(whole.read_bytes()[:500_000])
        self.whole = whole

    def write_manifest(self, third: Path) -> None:
        samples = [
            ("NA19401", "train", ["NA19401.chr21_chr22.16.57-16.61M.bam"]),
            ("damaged", "train", [str(third)]),
            ("NA12878", "test", ["NA12878.chr21.16.60-16.80M.bam", "NA12878.chr22.16.60-16.80M.bam"]),
        ]
        lines = ["version = 1"]
        for name, part, files in samples:
            lines += ["[[sample]]", f'name = "{name}"', f'part = "{part}"']
            for file in files:
                path = self.reads / file
                lines += ["[[sample.file]]", f'url = "{path.resolve().as_uri()}"']
                lines.append(f'sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"')
        (self.folder / "samples.toml").write_text("\n".join(lines))

    def snakemake(self, *more: str, profile: str = "local", allowed_failures: int = 0) -> tuple[int, str]:
        """Exit status, and everything that was said."""
        configuration = self.folder / "configuration.yaml"
        paths = {
            "manifest": self.folder / "samples.toml",
            "reference": self.reference,
            "seedsieve": SEEDSIEVE,
            "python": sys.executable,
        }
        lines = [f"{key}: {json.dumps(str(path))}" for key, path in paths.items()]
        configuration.write_text("\n".join([*lines, f"allowed_failures: {allowed_failures}", SETTINGS]))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(WORKFLOW / "Snakefile")]
        command += ["--configfile", str(configuration), "--directory", str(self.out)]
        command += ["--profile", str(WORKFLOW / "profiles" / profile), *more]
        # Snakemake keeps copies of the rules in a cache.
        environment = os.environ | {"XDG_CACHE_HOME": str(self.folder / "cache")}
        done = subprocess.run(command, env=environment, text=True, capture_output=True, cwd=REPOSITORY, check=False)
        return done.returncode, done.stdout + done.stderr

    def planned(self, *more: str, **options: object) -> Counter[str]:
        """How many jobs of each rule a run would start."""
        status, said = self.snakemake("--dry-run", *more, **options)
        assert status == 0, said
        return Counter(
            {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", said, re.M) if rule != "total"}
        )


@pytest.fixture(scope="module")
def run(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    if importlib.util.find_spec("snakemake") is None:
        skip_or_fail("Snakemake is not installed; `cargo xtask setup` installs it")
    if not SEEDSIEVE.is_file():
        skip_or_fail(f"{SEEDSIEVE} is not built; `cargo xtask setup` builds it")
    return Run(tmp_path_factory.mktemp("workflow"), real_data)


@pytest.mark.parametrize("profile", ["local", "slurm", "kubernetes"])
def test_every_profile_plans_all_jobs(run: Run, profile: str) -> None:
    run.write_manifest(run.damaged)
    of_samples = {"fetch": 3, "extract": 3, "validate_data_set": 3, "balance": 2}
    assert run.planned(profile=profile) == of_samples | NOT_OF_A_SAMPLE


def test_samples_run_at_once_a_damaged_one_is_told_and_only_what_is_missing_runs_again(run: Run) -> None:
    run.write_manifest(run.damaged)
    failure = "damaged: extract: .*damaged.bam: byte 500000: the file ends without BAM's end-of-file block"

    status, said = run.snakemake("--cores", "3")
    assert status == 1
    assert re.search(f"1 of 3 samples failed:\n  {failure}", said), said
    assert "1 samples failed, 0 may (allowed_failures)" in said
    # Later steps start one by one where a machine is busy; the first has all three samples before it.
    assert re.search(r"^Execute 3 jobs\.\.\.$", said, re.M), said
    finished = sorted(path.name for path in (run.out / "seeds").glob("*/dataset.json"))
    assert len(finished) == 2 and not (run.out / "dataset").exists()
    assert not list(run.out.glob("reads/*/*"))

    assert "fetch" not in run.planned(allowed_failures=1)
    status, said = run.snakemake("--cores", "3", allowed_failures=1)
    assert status == 0, said
    assert re.search(f"FAILED SAMPLE {failure}", said)
    assert "rule extract" not in said and "rule collect" in said
    summary = json.loads((run.out / "dataset" / "samples.json").read_text())
    assert [one["sample"] for one in summary["failed"]] == ["damaged"]
    assert {part: counts["samples"] for part, counts in summary["parts"].items()} == {
        "train": 1,
        "validation": 0,
        "test": 1,
    }
    check_results(run.out)

    status, said = run.snakemake("--cores", "3", allowed_failures=1)
    assert status == 0 and "Nothing to be done" in said
    assert re.search(f"FAILED SAMPLE {failure}", said)

    # The sample is there at last: it is done, and what is made of all samples.
    run.write_manifest(run.whole)
    of_samples = {"fetch": 1, "extract": 1, "validate_data_set": 1, "balance": 1}
    # Its part is merged again, the other is not.
    expected = of_samples | {rule: 1 for rule in NOT_OF_A_SAMPLE if rule != "index"}
    assert run.planned(allowed_failures=1) == expected


def check_results(out: Path) -> None:
    """Every result is there and says what it should."""
    import pyarrow.parquet

    for part, sample in (("train", "NA19401"), ("test", "NA12878")):
        folder = out / "dataset" / f"split={part}"
        content = json.loads((folder / "dataset.json").read_text())
        assert content["derived"][-1]["command"] == "merge"
        files = sorted(folder.glob(f"data/sample={sample}/*.parquet"))
        seeds = content["counts"]["seeds"]
        assert sum(pyarrow.parquet.read_metadata(file).num_rows for file in files) == seeds
        # Training data is balanced, the test part as it comes.
        share = content["counts"]["viable"] / seeds
        if part == "train":
            assert seeds == 10_000 and share == 0.5
        else:
            assert seeds > 50_000 and share > 0.8
        assert set(pyarrow.parquet.read_table(files[0], columns=["sample"])["sample"].unique().to_pylist()) == {sample}
    networks = {f"tiny{form}.onnx" for form in ("", "_int8", "_packed", "_int8_packed")}
    beside = {f"tiny{ending}" for ending in (".pt", ".toml", ".metrics.json", ".md", ".html", ".verified.txt")}
    assert {path.name for path in (out / "model").iterdir()} == networks | beside | {"events"}
    verified = (out / "model" / "tiny.verified.txt").read_text()
    assert re.search(r"^tract.*- PyTorch", verified, re.M), verified
    baselines = json.loads((out / "evaluation" / "baselines.json").read_text())
    assert baselines["data"] == ["dataset/split=train"]
    assert baselines["test_data"] == ["dataset/split=test"]
    figures = baselines["policies"]["own-extension"]["scorers"]
    assert {"ungapped score", "trees on all seed facts", "tiny"} <= set(figures)
    assert figures["trees on all seed facts"]["auc"] > figures["seed length"]["auc"]
    page = (out / "report.html").read_text()
    assert "1 of 3 samples failed" in page and "end-of-file block" in page and "<td>NA19401</td>" in page
