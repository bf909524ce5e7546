# What is made of all samples together: the model, its check, its figures, the report.
TRAINING = config["training"]
EVALUATION = config["evaluation"]
TRAIN_SEEDSIEVE = ["env", f"PYTHONPATH={CHECKOUT / 'python'}", PYTHON, "-m", "seedsieve_train"]
WITH_DATA_SETS = [PYTHON, str(PROGRAMS / "with_data_sets.py")]


def optional(option, value):
    return [] if value is None else [option, value]


rule train:
    input:
        dataset="dataset",
    output:
        expand("{model}{ending}", model=MODEL, ending=[".onnx", "_int8.onnx", ".pt", ".metrics.json", ".md"]),
    log:
        "logs/train.log",
    benchmark:
        "benchmarks/train.tsv"
    threads: TRAINING["threads"]
    resources:
        # Up to 30 million seeds are held in memory, 128 bytes of windows each, twice while they are divided; more are streamed.
        mem_mb=lambda wildcards, attempt: attempt * (4000 + int(400e-6 * min(TRAINING["max_seeds"] or 30_000_000, 30_000_000))),
        runtime=lambda wildcards, attempt: attempt * 720,
        gpu=1 if TRAINING["device"] == "cuda" else 0,
    params:
        with_data_sets=WITH_DATA_SETS,
        program=TRAIN_SEEDSIEVE,
        settings=[
            *("--name", TRAINING["name"], "--policy", TRAINING["policy"], "--epochs", TRAINING["epochs"]),
            *("--seed", TRAINING["seed"], "--block-bases", TRAINING["block_bases"], "--device", TRAINING["device"]),
            *optional("--max-seeds", TRAINING["max_seeds"]),
        ],
    # Positions are divided within these samples; the people of the test part are not seen at all.
    shell:
        "{params.with_data_sets:q} {input.dataset:q} --data train,validation -- {params.program:q} train "
        '--out "$(dirname {output[0]:q})" {params.settings:q} --threads {threads} > {log:q} 2>&1'


# The exported files beside PyTorch, in every backend of this machine.
rule verify_model:
    input:
        dataset="dataset",
        model=f"{MODEL}.onnx",
        checkpoint=f"{MODEL}.pt",
    output:
        verified=f"{MODEL}.verified.txt",
        windows=temp("model/windows.bin"),
        scores=temp("model/scores.f32"),
    log:
        "logs/verify.log",
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        with_data_sets=WITH_DATA_SETS,
        program=TRAIN_SEEDSIEVE,
        seedsieve=SEEDSIEVE,
    shell:
        "({params.with_data_sets:q} {input.dataset:q} --data first:test,validation,train -- {params.program:q} scores "
        "--checkpoint {input.checkpoint:q} --seeds 10000 --windows {output.windows:q} --out {output.scores:q} && "
        "{params.seedsieve:q} model verify {input.model:q} --windows {output.windows:q} --scores {output.scores:q} "
        "> {output.verified:q}) 2> {log:q}"


rule evaluate:
    input:
        dataset="dataset",
        model=f"{MODEL}.onnx",
    output:
        expand("evaluation/baselines.{ending}", ending=["json", "md"]),
    log:
        "logs/evaluate.log",
    threads: EVALUATION["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: attempt * (4000 + int(2000e-6 * (EVALUATION["max_seeds"] or 10_000_000))),
        runtime=lambda wildcards, attempt: attempt * 240,
    params:
        with_data_sets=WITH_DATA_SETS,
        program=TRAIN_SEEDSIEVE,
        settings=[
            *("--resamples", EVALUATION["resamples"], "--block-bases", TRAINING["block_bases"]),
            *("--seed", TRAINING["seed"]),
            *optional("--max-seeds", EVALUATION["max_seeds"]),
        ],
    # Other people at other positions, where the manifest has a test part.
    shell:
        "{params.with_data_sets:q} {input.dataset:q} --data train,validation --test-data test -- {params.program:q} "
        'baselines --model {input.model:q} --out "$(dirname {output[0]:q})" {params.settings:q} '
        "--threads {threads} > {log:q} 2>&1"


rule report:
    input:
        dataset="dataset",
        metrics=f"{MODEL}.metrics.json",
        verified=f"{MODEL}.verified.txt",
        baselines="evaluation/baselines.json",
    output:
        "report.html",
    log:
        "logs/report.log",
    resources:
        mem_mb=500,
        runtime=10,
    params:
        program=[PYTHON, str(PROGRAMS / "workflow_report.py")],
    shell:
        "{params.program:q} --samples {input.dataset:q}/samples.json --metrics {input.metrics:q} "
        "--verified {input.verified:q} --baselines {input.baselines:q} --output {output:q} 2> {log:q}"
