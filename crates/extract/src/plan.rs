use crate::ExtractOptions;
use crate::inputs::InputFiles;
use seedsieve_dataset::{Producer, SCHEMA_VERSION};
use serde_json::{Map, Value, json};

/// The program that writes the data set.
pub(crate) fn producer() -> Producer {
    Producer { name: "seedsieve".into(), version: env!("CARGO_PKG_VERSION").into() }
}

/// The settings that `dataset.json` states: all that decides which seeds there are and what became of them.
pub(crate) fn settings(options: &ExtractOptions) -> Map<String, Value> {
    let mem = &options.align.mem;
    let mut settings = object(json!({
        "min_seed_length": mem.min_seed_len,
        "split_factor": shortest(mem.split_factor),
        "max_occurrences": mem.max_occ,
        "max_interval_third_round": mem.max_mem_intv,
        "chain_drop_ratio": shortest(mem.drop_ratio),
        "reporting_threshold": mem.t,
        "match_score": mem.a,
        "mismatch_penalty": mem.b,
        "gap_open": [mem.o_del, mem.o_ins],
        "gap_extend": [mem.e_del, mem.e_ins],
        "clip_penalty": [mem.pen_clip5, mem.pen_clip3],
        "band_width": mem.w,
        "z_drop": mem.zdrop,
        "chunk_reads": options.chunk_reads,
        "waiting_mates": options.waiting_mates,
        "read_pairs": options.subsample.map(|subsample| subsample.pairs),
        "sampling_seed": options.subsample.map(|subsample| subsample.seed),
    }));
    options.own_extensions.state_in(&mut settings);
    if !options.regions.is_empty() {
        settings.insert("regions".into(), options.regions.texts().into());
    }
    settings
}

/// All that decides the bytes of the data set: what may not change between a process that was killed and the one that
/// goes on. Threads are not part of it, nor in which folder an input lies.
pub(crate) fn plan(options: &ExtractOptions, files: &InputFiles) -> Map<String, Value> {
    let producer = producer();
    let mut plan = object(json!({
        "program": format!("{} {}", producer.name, producer.version),
        "schema_version": SCHEMA_VERSION,
        "sample": options.sample,
        "part_rows": options.part_rows,
    }));
    plan.extend(settings(options));
    for (number, file) in files.list().iter().enumerate() {
        let text = format!("{}, {} bytes, SHA-256 {}", file.name, file.size, file.sha256);
        plan.insert(format!("{} file {}", file.kind, number + 1), text.into());
    }
    let kinds: Vec<&str> = options.inputs.iter().map(crate::Input::kind_name).collect();
    plan.insert("kinds of inputs".into(), kinds.into());
    plan
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("an object was built"),
    }
}

/// The `f64` with the digits that the option was given with: 1.5 and not 1.5 plus the `f32`'s rounding.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}
