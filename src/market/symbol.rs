//! A symbol: the source's own name of an instrument, any Unicode string, and the safe file name it becomes.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// The source's own name of an instrument: `000001`, `BRK/B`, `^GSPC`, `CON`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Symbol(Arc<str>);

/// Longest file stem, in bytes; leaves room for extensions under the usual limit of 255.
const MAX_STEM_BYTES: usize = 200;
/// How much of a too long name stays readable in front of its hash.
const LONG_PREFIX_BYTES: usize = 120;

impl Symbol {
    /// A symbol of this name.
    #[must_use]
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// The name as the source writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A file name (without extension) that is safe on every system and different for every symbol.
    ///
    /// Upper-case letters, digits, `_`, `-`, `=` and inner dots stay; every other byte becomes `%XX`; a name that Windows
    /// reserves gets its first byte escaped. A name with lower-case ASCII letters keeps them, and ends in `~` and a
    /// hexadecimal mask of which letters are lower-case, so that names that differ only by case differ everywhere. Names too
    /// long for a file system end in `~~` and a hash; their symbol stands in the file's footer.
    #[must_use]
    pub fn file_stem(&self) -> String {
        let name = self.as_str();
        let mut stem = String::with_capacity(name.len() + 8);
        let mut lower_mask: Vec<bool> = Vec::new();
        let last = name.len().saturating_sub(1);
        let reserved = is_reserved(name);
        for (position, byte) in name.bytes().enumerate() {
            let dot_inside = byte == b'.' && position != 0 && position != last;
            let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=') || dot_inside;
            if plain && !(reserved && position == 0) {
                stem.push(char::from(byte));
                if byte.is_ascii_alphabetic() {
                    lower_mask.push(byte.is_ascii_lowercase());
                }
            } else {
                stem.push_str(&format!("%{byte:02X}"));
            }
        }
        if name.is_empty() {
            stem.push('%');
        }
        if lower_mask.contains(&true) {
            stem.push('~');
            for nibble in lower_mask.chunks(4) {
                let value = nibble.iter().enumerate().fold(0_u32, |sum, (bit, lower)| sum | (u32::from(*lower) << bit));
                stem.push(char::from_digit(value, 16).unwrap_or('0'));
            }
        }
        if stem.len() > MAX_STEM_BYTES {
            // The stem is ASCII by construction, so cutting at a byte is cutting at a character.
            stem.truncate(LONG_PREFIX_BYTES);
            stem.push_str(&format!("~~{:032x}", xxh3_128(name.as_bytes())));
        }
        stem
    }

    /// The symbol a file stem stands for; `None` for foreign names and for names shortened to a hash.
    #[must_use]
    pub fn from_file_stem(stem: &str) -> Option<Self> {
        if stem.contains("~~") {
            return None;
        }
        let escaped = stem.split_once('~').map_or(stem, |(name, _mask)| name);
        if escaped == "%" {
            return Some(Self::new(""));
        }
        let mut bytes = Vec::with_capacity(escaped.len());
        let mut rest = escaped.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            } else {
                bytes.push(byte);
            }
        }
        let symbol = Self::new(String::from_utf8(bytes).ok()?);
        (symbol.file_stem() == stem).then_some(symbol)
    }
}

/// Whether Windows keeps this name (up to its first dot) for a device.
fn is_reserved(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    matches!(base.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (base.len() == 4 && (base.starts_with("COM") || base.starts_with("LPT")) && base.ends_with(|last: char| last.is_ascii_digit()))
}

impl std::fmt::Display for Symbol {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

impl From<&str> for Symbol {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Symbol {
    fn from(name: String) -> Self {
        Self(Arc::from(name))
    }
}

impl AsRef<str> for Symbol {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_symbols_keep_their_names() {
        for name in ["000001", "AAPL", "600519.SH", "BRK-B", "EURUSD=X"] {
            assert_eq!(Symbol::new(name).file_stem(), name);
        }
    }

    #[test]
    fn names_that_file_systems_dislike_become_safe() {
        assert_eq!(Symbol::new("BRK/B").file_stem(), "BRK%2FB");
        assert_eq!(Symbol::new("..").file_stem(), "%2E%2E");
        assert_eq!(Symbol::new("../x").file_stem(), "%2E.%2Fx~1");
        assert_eq!(Symbol::new("CON").file_stem(), "%43ON");
        assert_eq!(Symbol::new("con.US").file_stem(), "%63on.US~3");
        assert_eq!(Symbol::new("ß").file_stem(), "%C3%9F");
        assert_eq!(Symbol::new("A.").file_stem(), "A%2E");
    }

    #[test]
    fn names_that_differ_only_by_case_differ_without_case() {
        let stems = ["ABC", "abc", "Abc", "aBC"].map(|name| Symbol::new(name).file_stem().to_ascii_uppercase());
        for (position, stem) in stems.iter().enumerate() {
            assert!(!stems[position + 1..].contains(stem), "{stems:?}");
        }
    }

    #[test]
    fn a_long_name_is_shortened_to_a_hash() {
        let long = "株".repeat(200);
        let stem = Symbol::new(&long).file_stem();
        assert!(stem.len() <= MAX_STEM_BYTES, "{}", stem.len());
        assert_ne!(stem, Symbol::new(format!("{}式", "株".repeat(199))).file_stem());
        assert_eq!(Symbol::new("A".repeat(200)).file_stem().len(), 200);
    }

    proptest! {
        #[test]
        fn a_file_stem_leads_back_to_its_symbol(name in "\\PC{0,40}") {
            let symbol = Symbol::new(&name);
            let stem = symbol.file_stem();
            prop_assert!(stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-=.%~".contains(&byte)), "{}", stem);
            prop_assert!(stem.len() <= MAX_STEM_BYTES);
            if !stem.contains("~~") {
                prop_assert_eq!(Symbol::from_file_stem(&stem), Some(symbol));
            }
        }
    }
}
