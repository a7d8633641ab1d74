//! The hash that names a version of a feature set.
//!
//! Not a checksum of values: it is made from the canonical text of the definitions and the engine's version, so that a
//! changed formula or a changed engine is a new folder, and the same definitions give the same hash on every machine.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use xxhash_rust::xxh3::xxh3_128;

/// Version of the kernels. It is part of every hash: raise it whenever a kernel gives other bits for the same definition.
pub const ENGINE_VERSION: &str = "2";

/// Hash of a set's definitions, 128 bits.
///
/// `Display` gives the upper 64 bits as 16 hex digits, for folder names; [`full`](Self::full) gives all 32. Both parse
/// back; the lower half of a value parsed from 16 digits is zero, so compare such a one with
/// [`same_folder`](Self::same_folder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DefinitionHash(u128);

impl DefinitionHash {
    /// Hash of a canonical text (xxh3, 128 bits, which is defined byte by byte and the same everywhere).
    #[must_use]
    pub fn of_text(canonical: &str) -> Self {
        Self(xxh3_128(canonical.as_bytes()))
    }

    /// All 128 bits.
    #[must_use]
    pub fn value(self) -> u128 {
        self.0
    }

    /// All 32 hex digits.
    #[must_use]
    pub fn full(self) -> String {
        format!("{:032x}", self.0)
    }

    /// Whether both have the same folder name, that is the same upper 64 bits.
    #[must_use]
    pub fn same_folder(self, other: Self) -> bool {
        self.0 >> 64 == other.0 >> 64
    }
}

impl fmt::Display for DefinitionHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0 >> 64)
    }
}

impl From<u128> for DefinitionHash {
    fn from(value: u128) -> Self {
        Self(value)
    }
}

impl From<DefinitionHash> for String {
    fn from(hash: DefinitionHash) -> Self {
        hash.full()
    }
}

/// A text that is no definition hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a definition hash: 16 or 32 lower-case hex digits are expected")]
pub struct DefinitionHashError(String);

impl FromStr for DefinitionHash {
    type Err = DefinitionHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || DefinitionHashError(text.to_owned());
        if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong());
        }
        let value = u128::from_str_radix(text, 16).map_err(|_| wrong())?;
        match text.len() {
            16 => Ok(Self(value << 64)),
            32 => Ok(Self(value)),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for DefinitionHash {
    type Error = DefinitionHashError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_parses_back_from_both_of_its_spellings() {
        let hash = DefinitionHash::of_text("v1;ma5=ma(close,5);");
        assert_eq!(hash.to_string().len(), 16);
        assert_eq!(hash.full().parse(), Ok(hash));
        let short: DefinitionHash = hash.to_string().parse().unwrap();
        assert!(short.same_folder(hash));
        assert_eq!(short.to_string(), hash.to_string());
        assert!(hash.full().starts_with(&hash.to_string()));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "xyz", "0123", "ABCDEF0123456789", "+123456789abcdef", "0123456789abcdeg"] {
            assert!(text.parse::<DefinitionHash>().is_err(), "{text}");
        }
    }

    #[test]
    fn json_keeps_all_bits() {
        let hash = DefinitionHash::of_text("x");
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<DefinitionHash>(&json).unwrap(), hash);
    }
}
