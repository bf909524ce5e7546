//! A model file's own checksum: weights with a flipped bit are numbers as good as others, and nothing else would notice.
//!
//! The property `seedsieve.checksum` holds the SHA-256, in lower-case hexadecimal digits, of the whole file without that one
//! property: of all other top-level fields of the ONNX file, byte for byte, in their order. Metadata is covered, too.

use sha2::{Digest, Sha256};

use super::graph::malformed_is_error;
use super::protobuf::{Malformed, Message, Value};
use super::schema::field;
use crate::{NpuError, NpuResult};

const KEY: &str = "seedsieve.checksum";

/// Checks the checksum; `false` if the file has none.
///
/// # Errors
/// [`NpuError::UnsupportedFormat`] if it has one that is not the file's, or more than one.
pub(super) fn check(file: &[u8]) -> NpuResult<bool> {
    let (rest, found) = malformed_is_error(without_checksum(file))?;
    match found[..] {
        [] => Ok(false),
        [given] if given == hexadecimal(&rest) => Ok(true),
        [_] => Err(NpuError::UnsupportedFormat(
            "its checksum is not that of its content: the file was damaged, or changed by another program; copy it again \
             from where it comes from, or, if the change is wanted, give it a new one with `seedsieve model install`"
                .into(),
        )),
        _ => Err(NpuError::UnsupportedFormat(format!("it has `{KEY}` more than once; export it again"))),
    }
}

/// The file with the checksum of its content, in the place of one that it may have.
///
/// # Errors
/// [`NpuError::UnsupportedFormat`] if the bytes are no ONNX file.
pub(super) fn sealed(file: &[u8]) -> NpuResult<Vec<u8>> {
    let (mut sealed, _) = malformed_is_error(without_checksum(file))?;
    let mut property = Vec::new();
    let checksum = hexadecimal(&sealed);
    for (number, text) in [(field::PROPERTY_KEY, KEY), (field::PROPERTY_VALUE, checksum.as_str())] {
        append(&mut property, number, text.as_bytes());
    }
    append(&mut sealed, field::MODEL_PROPERTIES, &property);
    Ok(sealed)
}

fn without_checksum(file: &[u8]) -> Result<(Vec<u8>, Vec<&str>), Malformed> {
    let (mut rest, mut found) = (Vec::with_capacity(file.len()), Vec::new());
    for field in Message::file(file).fields_with_bytes() {
        let (bytes, field) = field?;
        match field.value {
            Value::Bytes(property)
                if field.number == field::MODEL_PROPERTIES && property.text(field::PROPERTY_KEY)? == KEY =>
            {
                found.push(property.text(field::PROPERTY_VALUE)?);
            }
            _ => rest.extend_from_slice(bytes),
        }
    }
    Ok((rest, found))
}

/// SHA-256 as `sha256sum` prints it.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Appends a field of fewer than 128 bytes, whose number is below 16.
fn append(message: &mut Vec<u8>, number: u64, value: &[u8]) {
    assert!(value.len() < 128 && number < 16);
    message.extend([(number << 3 | 2) as u8, value.len() as u8]);
    message.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;

    #[test]
    fn every_flipped_bit_of_a_sealed_file_is_refused() {
        let sealed = sealed(Model::embedded_int8().bytes()).unwrap();
        assert!(check(&sealed).unwrap());
        assert!(Model::from_bytes(sealed.clone(), "sealed.onnx").unwrap().has_checksum());
        for at in (0..sealed.len()).step_by(37) {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1 << (at % 8);
            // A bit in the checksum's own name turns it into another property, which is no checksum.
            let in_key = at + 140 > sealed.len();
            let checked = Model::from_bytes(damaged, "damaged.onnx");
            assert!(checked.is_err() || in_key && !checked.unwrap().has_checksum(), "byte {at} of {}", sealed.len());
        }
    }

    #[test]
    fn sealing_again_changes_nothing_and_files_without_a_checksum_pass() {
        let plain = Model::embedded().bytes().to_vec();
        let once = sealed(&plain).unwrap();
        assert_eq!(sealed(&once).unwrap(), once);
        let (rest, found) = without_checksum(&once).unwrap();
        assert_eq!(found.len(), 1);
        assert!(!check(&rest).unwrap());
        // As `sha256sum` prints it of three bytes.
        assert!(hexadecimal(b"abc").starts_with("ba7816bf8f01cfea414140de5dae2223"));
    }

    #[test]
    fn two_checksums_are_refused() {
        let once = sealed(Model::embedded().bytes()).unwrap();
        let property = &once[without_checksum(&once).unwrap().0.len()..];
        let error = check(&[&once, property].concat()).unwrap_err().to_string();
        assert!(error.contains("more than once"), "{error}");
    }
}
