# What is done for each sample by itself, and the collection.
import os

INDEX_ENDINGS = ["0123", "amb", "ann", "bwt.2bit.64", "pac"]
# CRAM files are decoded with the FASTA, which lies where the index does.
if "index" in config:
    INDEX = [local(f"{from_root('index')}.{ending}") for ending in INDEX_ENDINGS]
    FASTA = [local(path) for path in (from_root("index"), from_root("index") + ".fai") if os.path.isfile(path)]
else:
    INDEX = [f"reference/genome.fa.{ending}" for ending in INDEX_ENDINGS]
    FASTA = ["reference/genome.fa", "reference/genome.fa.fai"]
STEP = [PYTHON, str(PROGRAMS / "sample_step.py")]


def index_megabytes(files):
    return sum(os.path.getsize(file) for file in files) / 1e6


def extract_options():
    extraction = config["extract"]
    pairs = extraction["read_pairs"]
    sampling = [] if pairs is None else ["--read-pairs", pairs, "--seed", extraction["seed"]]
    regions = [word for region in extraction["regions"] for word in ("--region", region)]
    # Each sample has its own cache: jobs run side by side.
    cache = ["--cache", "unfinished/cache/{sample}"] if regions else []
    return [*sampling, *regions, *cache, *extraction["options"]]


if "index" not in config:

    rule index:
        input:
            local(from_root("reference")),
        output:
            INDEX,
            fasta=FASTA,
        log:
            "logs/index.log",
        resources:
            # bwa's construction holds about 28 bytes a base; a gzip file unpacks to four times its size.
            mem_mb=lambda wildcards, input, attempt: int(attempt * (1000 + 4 * 28 * input.size_mb)),
            runtime=lambda wildcards, attempt: attempt * 180,
        params:
            unpack=[PYTHON, str(PROGRAMS / "unpack_reference.py")],
            seedsieve=SEEDSIEVE,
        shell:
            "({params.unpack:q} {input:q} {output.fasta[0]:q} && "
            "{params.seedsieve:q} index {output.fasta[0]:q}) > {log:q} 2>&1"


rule fetch:
    output:
        temp(directory("reads/{sample}")),
    log:
        "logs/fetch/{sample}.log",
    resources:
        mem_mb=500,
        # A CRAM file of 30x has some 15 GB.
        runtime=lambda wildcards, attempt: attempt * 480,
        downloads=1,
    retries: 2
    params:
        step=STEP,
        manifest=MANIFEST,
        # Another address or checksum in the manifest fetches again.
        files=lambda wildcards: [repr(file) for file in SAMPLES[wildcards.sample].files],
        excerpts=["--excerpts"] if config["extract"]["regions"] else [],
    shell:
        "{params.step:q} fetch --manifest {params.manifest:q} --sample {wildcards.sample} "
        "--scratch unfinished/reads/{wildcards.sample} --output {output:q} {params.excerpts:q} 2> {log:q}"


rule extract:
    input:
        reads="reads/{sample}",
        index=INDEX,
        fasta=FASTA,
    output:
        directory("seeds/{sample}"),
    log:
        "logs/extract/{sample}.log",
    benchmark:
        "benchmarks/extract/{sample}.tsv"
    threads: config["extract"]["threads"]
    resources:
        mem_mb=lambda wildcards, input, threads, attempt: int(
            attempt * (2000 + 1.2 * index_megabytes(input.index) + 500 * threads)
        ),
        runtime=lambda wildcards, attempt: attempt * 240,
    retries: 2
    params:
        step=STEP,
        manifest=MANIFEST,
        seedsieve=SEEDSIEVE,
        options=lambda wildcards: [str(word).format(sample=wildcards.sample) for word in extract_options()],
    shell:
        """
        first={input.index[0]:q}
        {params.step:q} extract --manifest {params.manifest:q} --sample {wildcards.sample} --input {input.reads:q} \
            --scratch unfinished/seeds/{wildcards.sample} --output {output:q} -- {params.seedsieve:q} extract-seeds \
            --reference "${{first%.0123}}" --threads {threads} {params.options:q} 2> {log:q}
        """


rule validate_data_set:
    input:
        seeds="seeds/{sample}",
        index=INDEX,
    output:
        "validated/{sample}.json",
    log:
        "logs/validate/{sample}.log",
    resources:
        mem_mb=lambda wildcards, input, attempt: int(attempt * (2000 + 1.2 * index_megabytes(input.index))),
        runtime=lambda wildcards, attempt: attempt * 60,
    retries: 2
    params:
        step=STEP,
        manifest=MANIFEST,
        seedsieve=SEEDSIEVE,
        part=lambda wildcards: SAMPLES[wildcards.sample].part,
    shell:
        """
        first={input.index[0]:q}
        {params.step:q} validate --manifest {params.manifest:q} --sample {wildcards.sample} --input {input.seeds:q} \
            --output {output:q} -- {params.seedsieve:q} dataset validate --reference "${{first%.0123}}" 2> {log:q}
        """


def drawn_seeds(*parts):
    """Folders of the seeds that are merged: the test part stays as it comes."""
    balanced = config["balance"]["seeds"] is not None
    return [
        f"balanced/{name}" if balanced and sample.part != "test" else f"seeds/{name}"
        for name, sample in SAMPLES.items()
        if sample.part in parts
    ]


def results_of(*parts):
    return [f"validated/{name}.json" for name, sample in SAMPLES.items() if sample.part in parts]


rule balance:
    input:
        seeds="seeds/{sample}",
        # What is not valid is not drawn from.
        result="validated/{sample}.json",
    output:
        directory("balanced/{sample}"),
    log:
        "logs/balance/{sample}.log",
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 2000,
        runtime=lambda wildcards, attempt: attempt * 60,
    params:
        step=STEP,
        manifest=MANIFEST,
        seedsieve=SEEDSIEVE,
        seeds=config["balance"]["seeds"],
        viable=config["balance"]["viable"],
        hard=config["balance"]["hard"],
        policy=config["training"]["policy"],
    shell:
        "{params.step:q} balance --manifest {params.manifest:q} --sample {wildcards.sample} --input {input.seeds:q} "
        "--scratch unfinished/balanced/{wildcards.sample} --output {output:q} -- {params.seedsieve:q} dataset sample "
        "-n {params.seeds} --viable {params.viable} --hard {params.hard} --policy {params.policy} 2> {log:q}"


# One data set a part, each sample a hive partition of it.
rule merge:
    input:
        seeds=lambda wildcards: drawn_seeds(wildcards.part),
        results=lambda wildcards: results_of(wildcards.part),
    output:
        directory("merged/{part}"),
    log:
        "logs/merge/{part}.log",
    benchmark:
        "benchmarks/merge/{part}.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 2000,
        runtime=lambda wildcards, attempt: attempt * 240,
    params:
        program=[PYTHON, str(PROGRAMS / "merge_samples.py")],
        seedsieve=SEEDSIEVE,
    shell:
        "{params.program:q} --seeds {input.seeds:q} --results {input.results:q} --scratch unfinished/merged/{wildcards.part} "
        "--output {output:q} -- {params.seedsieve:q} dataset merge --by-sample 2> {log:q}"


rule collect:
    input:
        seeds=drawn_seeds(*PARTS),
        results=results_of(*PARTS),
        merged=expand("merged/{part}", part=[part for part in PARTS if drawn_seeds(part)]),
    output:
        directory("dataset"),
    log:
        "logs/collect.log",
    resources:
        mem_mb=500,
        runtime=60,
    params:
        program=[PYTHON, str(PROGRAMS / "collect_samples.py")],
        allowed=config["allowed_failures"],
    shell:
        "{params.program:q} --allowed-failures {params.allowed} --output {output:q} --seeds {input.seeds:q} "
        "--results {input.results:q} --merged {input.merged:q} 2>&1 | tee {log:q} >&2"
