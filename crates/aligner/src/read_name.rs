//! Which names of reads a SAM can hold.

/// Characters of a name: BAM stores their number, and the end that follows them, in one byte (SAM specification, 4.2).
const MAX_CHARACTERS: usize = 254;

/// Checks a read's name. The specification (1.4) also has no `@` behind the first character; samtools and bwa take it, and
/// so do we.
///
/// # Errors
/// No name (`*` stands for none), characters that are not printable ASCII, more than 254 of them, an `@` as the first one,
/// which readers take for a line of the header. The message says what to do.
pub fn check_read_name(name: &[u8]) -> Result<(), String> {
    const NUMBERED: &str = "name the reads, as `awk 'NR % 4 == 1 {$0 = \"@read\" (NR + 3) / 4} 1'` does in FASTQ of four \
                            lines a read";
    let shown = name[..name.len().min(MAX_CHARACTERS)].escape_ascii();
    match name {
        [] => Err(format!("the read has no name, and SAM needs one; {NUMBERED}")),
        b"*" => Err(format!("the name is `*`, which stands for none in SAM; {NUMBERED}")),
        _ if !name.iter().all(u8::is_ascii_graphic) => {
            let odd = name.iter().position(|byte| !byte.is_ascii_graphic()).unwrap_or_default();
            let found = name[odd..=odd].escape_ascii();
            Err(format!(
                "the name is `{shown}`, and its character {odd} (0-based) is '{found}'; valid are those from '!' to '~': \
                 the file is corrupt, copy it again, or rename the read"
            ))
        }
        [b'@', ..] => Err(format!(
            "the name is `{shown}`, and readers of SAM take a line that begins with @ for one of the header; take the \
             second @ away, as `sed '1~4s/^@@*/@/'` does in FASTQ of four lines a read"
        )),
        _ if name.len() > MAX_CHARACTERS => Err(format!(
            "the name has {} characters, and SAM has room for {MAX_CHARACTERS}: `{shown}...`; shorten it, or put a blank \
             behind what tells the reads apart (the rest is then a comment)",
            name.len()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_sam_can_hold_pass() {
        for name in ["r", "SRR1:1.2/3", "a@b", "**", "!~", &"n".repeat(254)] {
            assert_eq!(check_read_name(name.as_bytes()), Ok(()), "{name}");
        }
    }

    #[test]
    fn others_are_told_with_what_to_do() {
        let long = "n".repeat(255);
        for (name, parts) in [
            (&b""[..], ["has no name", "awk"]),
            (b"*", ["stands for none", "awk"]),
            (b"@x", ["`@x`", "sed"]),
            (b"a\x7f", ["character 1 (0-based) is '\\x7f'", "rename"]),
            ("é".as_bytes(), ["character 0 (0-based) is '\\xc3'", "'!' to '~'"]),
            (long.as_bytes(), ["255 characters", "shorten"]),
        ] {
            let problem = check_read_name(name).unwrap_err();
            assert!(parts.iter().all(|part| problem.contains(part)), "{problem}");
            assert!(problem.is_ascii(), "{problem}");
        }
    }
}
