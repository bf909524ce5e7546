//! A reader of Protocol Buffers fields, as much of it as the top of an ONNX file needs: the wire format without a schema
//! (<https://protobuf.dev/programming-guides/encoding/>).

/// One message: its bytes, and where they start in the file.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// One field of a message.
pub(super) struct Field<'a> {
    pub number: u64,
    pub value: Value<'a>,
}

/// A field's value by wire type.
pub(super) enum Value<'a> {
    /// Integers, booleans and enumerations.
    Varint(u64),
    /// Strings, bytes, packed numbers and messages within messages.
    Bytes(Message<'a>),
    /// Four bytes, little-endian: 32-bit floats.
    Fixed32(u32),
    /// Eight bytes, which nothing here asks for.
    Fixed64,
}

/// Where and why the bytes are no message.
#[derive(Debug)]
pub(super) struct Malformed {
    /// Offset in the file, in bytes.
    pub offset: usize,
    pub why: &'static str,
}

impl<'a> Message<'a> {
    /// The whole file.
    pub fn file(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub fn fields(self) -> impl Iterator<Item = Result<Field<'a>, Malformed>> {
        self.fields_with_bytes().map(|field| field.map(|(_, field)| field))
    }

    /// The fields, and the bytes that each of them is, number and length included.
    pub fn fields_with_bytes(self) -> impl Iterator<Item = Result<(&'a [u8], Field<'a>), Malformed>> {
        let mut rest = self;
        std::iter::from_fn(move || {
            if rest.bytes.is_empty() {
                return None;
            }
            let bytes = rest.bytes;
            let field = rest.take_field().map(|field| (&bytes[..bytes.len() - rest.bytes.len()], field));
            if field.is_err() {
                rest.bytes = &[];
            }
            Some(field)
        })
    }

    /// The messages of one field number.
    pub fn messages(self, number: u64) -> Result<Vec<Message<'a>>, Malformed> {
        let mut found = Vec::new();
        for field in self.fields() {
            let field = field?;
            if field.number == number
                && let Value::Bytes(message) = field.value
            {
                found.push(message);
            }
        }
        Ok(found)
    }

    /// The last message of one field number: protobuf's rule for fields that may occur once.
    pub fn message(self, number: u64) -> Result<Option<Message<'a>>, Malformed> {
        Ok(self.messages(number)?.pop())
    }

    /// The last integer of one field number.
    pub fn integer(self, number: u64) -> Result<Option<u64>, Malformed> {
        let mut found = None;
        for field in self.fields() {
            let field = field?;
            if field.number == number
                && let Value::Varint(value) = field.value
            {
                found = Some(value);
            }
        }
        Ok(found)
    }

    /// All integers of one field number, one by one or packed into one field.
    pub fn integers(self, number: u64) -> Result<Vec<u64>, Malformed> {
        let mut found = Vec::new();
        for field in self.fields() {
            match field? {
                Field { number: given, value: Value::Varint(value) } if given == number => found.push(value),
                Field { number: given, value: Value::Bytes(mut packed) } if given == number => {
                    while !packed.bytes.is_empty() {
                        found.push(packed.take_varint()?);
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// The last 32-bit float of one field number.
    pub fn float(self, number: u64) -> Result<Option<f32>, Malformed> {
        let mut found = None;
        for field in self.fields() {
            let field = field?;
            if field.number == number
                && let Value::Fixed32(bits) = field.value
            {
                found = Some(f32::from_bits(bits));
            }
        }
        Ok(found)
    }

    /// The strings of one field number.
    pub fn texts(self, number: u64) -> Result<Vec<&'a str>, Malformed> {
        self.messages(number)?.into_iter().map(Message::as_text).collect()
    }

    /// The last string of one field number; empty if there is none, as protobuf defines.
    pub fn text(self, number: u64) -> Result<&'a str, Malformed> {
        match self.message(number)? {
            Some(text) => text.as_text(),
            None => Ok(""),
        }
    }

    fn as_text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes)
            .map_err(|_| Malformed { offset: self.offset, why: "a string that is not UTF-8" })
    }

    fn take_field(&mut self) -> Result<Field<'a>, Malformed> {
        let start = self.offset;
        let malformed = |why| Malformed { offset: start, why };
        let key = self.take_varint()?;
        let number = key >> 3;
        if number == 0 {
            return Err(malformed("a field with the number 0"));
        }
        let value = match key & 7 {
            0 => Value::Varint(self.take_varint()?),
            1 => self.take(8).map(|_| Value::Fixed64)?,
            2 => {
                let length = self.take_varint()?;
                let length = usize::try_from(length).map_err(|_| malformed("a field longer than memory"))?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.take(4)?.bytes.try_into().expect("four bytes"))),
            _ => return Err(malformed("an unknown wire type")),
        };
        Ok(Field { number, value })
    }

    fn take(&mut self, length: usize) -> Result<Message<'a>, Malformed> {
        let Some((taken, rest)) = self.bytes.split_at_checked(length) else {
            return Err(Malformed { offset: self.offset, why: "a field that ends beyond the end of its message" });
        };
        let offset = self.offset;
        self.bytes = rest;
        self.offset += length;
        Ok(Message { bytes: taken, offset })
    }

    fn take_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (index, &byte) in self.bytes.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.bytes = &self.bytes[index + 1..];
                self.offset += index + 1;
                return Ok(value);
            }
        }
        Err(Malformed { offset: self.offset, why: "an integer without an end" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field 1 = 150, field 2 = "testing" (the specification's own examples), field 3 = fixed32, field 4 = fixed64.
    const EXAMPLE: &[u8] = b"\x08\x96\x01\x12\x07testing\x1d\x01\x02\x03\x04\x21\x01\x02\x03\x04\x05\x06\x07\x08";

    #[test]
    fn fields_of_all_wire_types_are_read() {
        let message = Message::file(EXAMPLE);
        let numbers: Vec<u64> = message.fields().map(|field| field.unwrap().number).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
        assert_eq!(message.integer(1).unwrap(), Some(150));
        assert_eq!(message.text(2).unwrap(), "testing");
        assert_eq!(message.message(2).unwrap().unwrap().offset, 5);
        assert_eq!(message.float(3).unwrap(), Some(f32::from_bits(0x0403_0201)));
    }

    #[test]
    fn repeated_integers_are_read_packed_and_one_by_one() {
        let both = Message::file(b"\x0a\x03\x01\x96\x01\x08\x07\x10\x08");
        assert_eq!(both.integers(1).unwrap(), [1, 150, 7]);
        assert!(Message::file(b"\x0a\x01\x96").integers(1).is_err());
    }

    #[test]
    fn every_truncation_within_a_field_is_found() {
        let field_ends = [0, 3, 12, 17, 26];
        for end in 0..EXAMPLE.len() {
            let complete = Message::file(&EXAMPLE[..end]).fields().all(|field| field.is_ok());
            assert_eq!(complete, field_ends.contains(&end), "cut at {end}");
        }
    }

    #[test]
    fn lengths_beyond_the_message_do_not_overflow() {
        let huge = b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert!(Message::file(huge).messages(2).is_err());
        let endless = [0xff; 12];
        assert!(Message::file(&endless).messages(2).is_err());
    }
}
