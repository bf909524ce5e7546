//! Text of files as messages may hold it.

/// Characters of a value that a message shows.
const MOST: usize = 200;

/// Bytes of a file as text: control characters, which a terminal would obey, are escaped, and what is long is cut.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(4 * MOST)];
    let text = String::from_utf8_lossy(start);
    let mut result = String::new();
    for letter in text.chars().take(MOST) {
        if letter.is_control() {
            result.extend(letter.escape_default());
        } else {
            result.push(letter);
        }
    }
    if text.chars().count() > MOST {
        result.push_str("...");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_values_cut() {
        assert_eq!(shown("read_1 \u{e9}".as_bytes()), "read_1 \u{e9}");
        assert_eq!(shown(b"a\x1b[2J\x00\tb"), r"a\u{1b}[2J\u{0}\tb");
        assert_eq!(shown(&[b'x'; 1_000]), format!("{}...", "x".repeat(200)));
        assert_eq!(shown(&[b'x'; 200]), "x".repeat(200));
    }
}
