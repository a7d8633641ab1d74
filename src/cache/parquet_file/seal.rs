//! The seal: xxh3-128 of a whole file, written inside that file. Without the catalog it tells a whole file from a damaged or a
//! half-written one, down to a single bit.
//!
//! The hash is taken with the 32 characters of the seal itself as zeros. It guards against accidents, not against forgery.

use super::encode::MAGIC;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The name of its pair in the footer.
pub(super) const KEY: &str = "samovar.seal";
/// What stands in its place while the hash is taken.
pub(super) const PLACEHOLDER: &str = "00000000000000000000000000000000";
/// The pair as Parquet's footer (Thrift, compact) writes it, up to the value: lengths before texts, 24 for "next field, text".
const SIGN: &[u8] = b"\x0csamovar.seal\x18\x20";

/// Fills the seal into `behind`, the end of a file whose earlier bytes went into `before`. Returns the checksum of the whole
/// file, seal included; `None` when there is no place for the seal.
pub fn apply(before: &Xxh3, behind: &mut [u8]) -> Option<u128> {
    let start = place(behind)?;
    let mut sealing = before.clone();
    sealing.update(behind);
    let text = format!("{:032x}", sealing.digest128());
    behind.get_mut(start..start + text.len())?.copy_from_slice(text.as_bytes());
    let mut whole = before.clone();
    whole.update(behind);
    Some(whole.digest128())
}

/// Whether a file of the present format is exactly as it was written.
pub fn is_whole(bytes: &[u8]) -> bool {
    sealed_as(bytes).is_some_and(|(written, found)| written == format!("{found:032x}").as_bytes())
}

fn sealed_as(bytes: &[u8]) -> Option<(&[u8], u128)> {
    let from = metadata_start(bytes)?;
    let start = from + place(bytes.get(from..)?)?;
    let end = start + PLACEHOLDER.len();
    let mut hasher = Xxh3::new();
    hasher.update(bytes.get(..start)?);
    hasher.update(PLACEHOLDER.as_bytes());
    hasher.update(bytes.get(end..)?);
    Some((bytes.get(start..end)?, hasher.digest128()))
}

/// Where the footer begins in a file that ends with [`MAGIC`].
pub fn metadata_start(bytes: &[u8]) -> Option<usize> {
    let (rest, magic) = bytes.split_last_chunk::<4>()?;
    let (rest, length) = rest.split_last_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    (magic == MAGIC).then(|| rest.len().checked_sub(length)).flatten().filter(|start| *start >= MAGIC.len())
}

/// Every length at which these bytes could end a file, the longest first.
pub fn possible_ends(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let ends = bytes.windows(MAGIC.len()).enumerate().rev().filter(|(_, window)| window == MAGIC).map(|(start, _)| start + MAGIC.len());
    ends.filter(|end| bytes.get(..*end).and_then(metadata_start).is_some())
}

/// Where the seal's characters begin; the last such pair counts, because texts of users come before it.
fn place(metadata: &[u8]) -> Option<usize> {
    let sign = metadata.windows(SIGN.len()).rposition(|window| window == SIGN)?;
    Some(sign + SIGN.len()).filter(|start| start + PLACEHOLDER.len() <= metadata.len())
}

/// The seal of format 1: over the pairs only.
pub fn of_pairs<'pair>(pairs: impl Iterator<Item = (&'pair str, &'pair str)>) -> String {
    let text = pairs.fold(String::new(), |text, (key, value)| text + key + "=" + value + "\n");
    format!("{:032x}", xxh3_128(text.as_bytes()))
}
