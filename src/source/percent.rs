//! Percent-encoding of the few characters that have a meaning in a source URL; everything else stays readable.

/// Writes `%XX` for control characters and for the ASCII characters in `special`.
pub(super) fn encode(text: &str, special: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_control() || (character.is_ascii() && special.contains(character)) {
            encoded.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            encoded.push(character);
        }
    }
    encoded
}

/// Reads `%XX`; a percent sign that begins none stays one, and bytes that are no UTF-8 become replacement characters.
pub(super) fn decode(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|value| u8::try_from(value).ok());
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(byte) = bytes.get(position) {
        match (byte, digit(bytes.get(position + 1)), digit(bytes.get(position + 2))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high * 16 + low);
                position += 3;
            }
            _ => {
                decoded.push(*byte);
                position += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_lone_percent_sign_stays() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("a%2Fb%zz"), "a/b%zz");
    }

    proptest! {
        #[test]
        fn what_was_encoded_reads_back(text in "\\PC{0,30}") {
            prop_assert_eq!(decode(&encode(&text, "%@/")), text);
        }
    }
}
