use std::fmt::{Display, Write};
use std::io;

use noodles::bam::record::Data;
use noodles::sam::alignment::record::data::field::Value;
use noodles::sam::alignment::record::data::field::value::Array;

use super::{KeptTags, invalid};

/// Tags that the aligner writes itself, about an alignment of its own.
const WRITTEN: [&[u8; 2]; 9] = [b"NM", b"MD", b"AS", b"XS", b"SA", b"XA", b"MC", b"pa", b"XR"];

/// Whether the tag goes into the comment.
pub(super) fn is_kept(tag: [u8; 2], kept: KeptTags) -> bool {
    !WRITTEN.contains(&&tag) && (tag != *b"RG" || kept.read_group)
}

/// The tags of a record as SAM has them, with a tab between two; `None` where there are none.
pub(super) fn comment_of(data: &Data<'_>, kept: KeptTags) -> io::Result<Option<String>> {
    let mut comment = String::new();
    for field in data.iter() {
        let (tag, value) = field?;
        let tag: [u8; 2] = *tag.as_ref();
        if is_kept(tag, kept) {
            push_tag(&mut comment, tag, &text_of(&value)?)?;
        }
    }
    Ok(Some(comment).filter(|comment| !comment.is_empty()))
}

/// Appends a tag; `typed` is `TYPE:VALUE`.
pub(super) fn push_tag(comment: &mut String, tag: [u8; 2], typed: &str) -> io::Result<()> {
    if !tag.iter().all(u8::is_ascii_alphanumeric) || typed.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(invalid(format!("tag `{}` holds characters that SAM has no room for", tag.escape_ascii())));
    }
    if !comment.is_empty() {
        comment.push('\t');
    }
    comment.extend(tag.map(char::from));
    comment.push(':');
    comment.push_str(typed);
    Ok(())
}

fn text_of(value: &Value<'_>) -> io::Result<String> {
    Ok(match value {
        Value::Character(character) => format!("A:{}", char::from(*character)),
        Value::Int8(number) => format!("i:{number}"),
        Value::UInt8(number) => format!("i:{number}"),
        Value::Int16(number) => format!("i:{number}"),
        Value::UInt16(number) => format!("i:{number}"),
        Value::Int32(number) => format!("i:{number}"),
        Value::UInt32(number) => format!("i:{number}"),
        Value::Float(number) => format!("f:{number}"),
        Value::String(text) => format!("Z:{text}"),
        Value::Hex(text) => format!("H:{text}"),
        Value::Array(Array::Int8(values)) => array('c', values.iter())?,
        Value::Array(Array::UInt8(values)) => array('C', values.iter())?,
        Value::Array(Array::Int16(values)) => array('s', values.iter())?,
        Value::Array(Array::UInt16(values)) => array('S', values.iter())?,
        Value::Array(Array::Int32(values)) => array('i', values.iter())?,
        Value::Array(Array::UInt32(values)) => array('I', values.iter())?,
        Value::Array(Array::Float(values)) => array('f', values.iter())?,
    })
}

/// An array tag, `B:` with the type and the values.
pub(super) fn array<T: Display>(kind: char, values: impl Iterator<Item = io::Result<T>>) -> io::Result<String> {
    let mut text = format!("B:{kind}");
    for value in values {
        write!(text, ",{}", value?).expect("text takes everything");
    }
    Ok(text)
}
