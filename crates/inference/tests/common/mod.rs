//! What the tests of this crate share.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::ops::Range;
use std::sync::Arc;

use seedsieve_inference::{BackendChoice, Model, NpuBackend, detect_npu_backend, list_available_backends};

/// Whether ONNX Runtime is there. Says plainly what is skipped where it is not; fails in continuous integration, where
/// nothing may be skipped.
pub fn ort_is_available(what: &str) -> bool {
    let status = list_available_backends().into_iter().find(|status| status.name == "ort").unwrap();
    if !status.available {
        assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{what}: {}", status.why);
        eprintln!("SKIPPED {what}: {}", status.why);
    }
    status.available
}

/// Every backend that works here with this model, loaded with it; the fastest last.
pub fn backends(model: &Model) -> Vec<Arc<dyn NpuBackend>> {
    let mut choices = Vec::new();
    if cfg!(feature = "tract") {
        choices.push(BackendChoice::Tract);
    }
    if cfg!(feature = "ort") && ort_is_available("the backend ort") {
        choices.push(BackendChoice::Ort);
    }
    if cfg!(feature = "native") && model.graph().quantized {
        choices.push(BackendChoice::Native);
    }
    choices.into_iter().map(|choice| detect_npu_backend(model, choice).unwrap()).collect()
}

/// The file of a model without what vouches for its content: the checksum becomes a property that nobody reads. For tests
/// that alter a file and want it to be refused for that alone.
pub fn unsealed(model: &Model) -> Vec<u8> {
    let (key, other) = (b"seedsieve.checksum", b"seedsieve.check___");
    let mut bytes = model.bytes().to_vec();
    if let Some(at) = bytes.windows(key.len()).position(|window| window == key) {
        bytes[at..at + key.len()].copy_from_slice(other);
    }
    bytes
}

/// Scores of packed windows.
pub fn scores(backend: &dyn NpuBackend, packed: &[u8]) -> Vec<f32> {
    let mut scores = vec![f32::NAN; packed.len() / 128];
    backend.predict_packed(packed, &mut scores).unwrap();
    scores
}

/// Where the values of a field lie in a protobuf file; `path` gives the field numbers from the file down to it, all of
/// them length-delimited.
pub fn locate(bytes: &[u8], path: &[u64]) -> Vec<Range<usize>> {
    let mut messages = vec![Range { start: 0, end: bytes.len() }];
    for &number in path {
        messages = messages
            .into_iter()
            .flat_map(|message| fields(bytes, message))
            .filter(|field| field.number == number)
            .map(|field| field.value)
            .collect();
    }
    messages
}

struct Field {
    number: u64,
    whole: Range<usize>,
    value: Range<usize>,
}

fn fields(bytes: &[u8], message: Range<usize>) -> Vec<Field> {
    let mut found = Vec::new();
    let mut at = message.start;
    while at < message.end {
        let start = at;
        let key = varint(bytes, &mut at);
        let length = match key & 7 {
            0 => {
                varint(bytes, &mut at);
                0
            }
            1 => 8,
            2 => varint(bytes, &mut at) as usize,
            _ => 4,
        };
        found.push(Field { number: key >> 3, whole: start..at + length, value: at..at + length });
        at += length;
    }
    found
}

fn varint(bytes: &[u8], at: &mut usize) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        value |= u64::from(bytes[*at] & 0x7f) << shift;
        *at += 1;
        if bytes[*at - 1] < 0x80 {
            break;
        }
    }
    value
}

/// Number of the metadata entries in the file's message.
const METADATA: u64 = 14;

/// A model's file without its metadata.
pub fn without_metadata(bytes: &[u8]) -> Vec<u8> {
    let kept = fields(bytes, 0..bytes.len()).into_iter().filter(|field| field.number != METADATA);
    kept.flat_map(|field| bytes[field.whole].to_vec()).collect()
}

/// A model's file in which one value of the metadata is another.
pub fn with_metadata(bytes: &[u8], key: &str, value: &str) -> Vec<u8> {
    let mut changed = without_metadata(bytes);
    for entry in locate(bytes, &[METADATA]) {
        let parts = fields(bytes, entry);
        let text = |number| {
            let part = parts.iter().find(|part| part.number == number).unwrap();
            std::str::from_utf8(&bytes[part.value.clone()]).unwrap()
        };
        append_metadata(&mut changed, text(1), if text(1) == key { value } else { text(2) });
    }
    changed
}

fn append_metadata(bytes: &mut Vec<u8>, key: &str, value: &str) {
    let mut entry = Vec::new();
    for (number, text) in [(1, key), (2, value)] {
        append_bytes(&mut entry, number, text.as_bytes());
    }
    append_bytes(bytes, METADATA, &entry);
}

/// A model's file whose first weights are said to lie in another file.
pub fn with_weights_elsewhere(bytes: &[u8]) -> Vec<u8> {
    let mut first = true;
    rebuild(bytes, 0..bytes.len(), &[7, 5], &mut |weights| {
        if std::mem::take(&mut first) {
            // data_location = EXTERNAL
            weights.extend([14 << 3, 1]);
        }
    })
}

/// Copies a message and changes the values that `path` leads to.
fn rebuild(bytes: &[u8], message: Range<usize>, path: &[u64], change: &mut impl FnMut(&mut Vec<u8>)) -> Vec<u8> {
    let Some((&number, below)) = path.split_first() else {
        let mut value = bytes[message].to_vec();
        change(&mut value);
        return value;
    };
    let mut rebuilt = Vec::new();
    for field in fields(bytes, message) {
        if field.number == number {
            append_bytes(&mut rebuilt, number, &rebuild(bytes, field.value, below, change));
        } else {
            rebuilt.extend_from_slice(&bytes[field.whole]);
        }
    }
    rebuilt
}

fn append_bytes(message: &mut Vec<u8>, number: u64, value: &[u8]) {
    message.push((number << 3 | 2) as u8);
    let mut length = value.len();
    while length >= 0x80 {
        message.push(length as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(value);
}
