//! Times by their differences, Parquet's DELTA_BINARY_PACKED: a trading day takes two bits. Only times are kept so.
//!
//! Contract: what [`put`] wrote [`read`] gives back, and neither panics whatever it is given.

use super::page::{Bytes, put_varint, zigzag};

/// Differences in a block.
const BLOCK: usize = 128;
/// Parts of a block, each with a width of its own.
const PARTS: usize = 4;
/// Differences in a part.
const PART: usize = BLOCK / PARTS;

/// Appends numbers; differences wrap at `bits`, 32 or 64.
pub fn put(out: &mut Vec<u8>, values: &[i64], bits: u32) {
    put_varint(out, BLOCK as u64);
    put_varint(out, PARTS as u64);
    put_varint(out, values.len() as u64);
    put_varint(out, zigzag(values.first().copied().unwrap_or(0)));
    let wrapped = |value: i64| if bits == 32 { i64::from(value as i32) } else { value };
    let mut deltas = [0_i64; BLOCK];
    for pairs in pairs(values).chunks(BLOCK) {
        let deltas = deltas.get_mut(..pairs.len()).unwrap_or_default();
        for (delta, pair) in deltas.iter_mut().zip(pairs) {
            *delta = wrapped(pair.1.wrapping_sub(pair.0));
        }
        let least = deltas.iter().copied().min().unwrap_or(0);
        put_varint(out, zigzag(least));
        let over = |delta: &i64| wrapped(delta.wrapping_sub(least)).cast_unsigned() & (u64::MAX >> (64 - bits));
        let widths = out.len();
        out.extend([0; PARTS]);
        for (part, deltas) in deltas.chunks(PART).enumerate() {
            let width = 64 - deltas.iter().map(over).fold(0, |all, delta| all | delta).leading_zeros();
            if let Some(place) = out.get_mut(widths + part) {
                *place = width as u8;
            }
            let end = out.len() + PART * width as usize / 8;
            let (mut held, mut filled) = (0_u128, 0);
            for delta in deltas {
                held |= u128::from(over(delta)) << filled;
                filled += width;
                while filled >= 8 {
                    out.push(held as u8);
                    held >>= 8;
                    filled -= 8;
                }
            }
            if filled > 0 {
                out.push(held as u8);
            }
            out.resize(end, 0);
        }
    }
}

fn pairs(values: &[i64]) -> Vec<(i64, i64)> {
    values.iter().copied().zip(values.iter().copied().skip(1)).collect()
}

/// Reads numbers and hands them to `each`, `rows` of them; `None` when these bytes are none or hold another number of them.
pub fn read(bytes: &mut Bytes<'_>, rows: usize, bits: u32, mut each: impl FnMut(i64)) -> Option<()> {
    let block = usize::try_from(bytes.varint()?).ok()?;
    let parts = usize::try_from(bytes.varint()?).ok()?;
    let count = usize::try_from(bytes.varint()?).ok()?;
    let part = block.checked_div(parts).filter(|part| *part > 0 && part.is_multiple_of(8) && *part <= 1 << 16)?;
    let mut value = bytes.signed()?;
    if count != rows {
        return None;
    }
    if count == 0 {
        return Some(());
    }
    let wrapped = |value: i64| if bits == 32 { i64::from(value as i32) } else { value };
    each(value);
    let mut left = count - 1;
    while left > 0 {
        let least = bytes.signed()?;
        for width in bytes.take(parts)? {
            if left == 0 {
                break;
            }
            let width = u32::from(*width);
            let packed = (width <= 64).then(|| bytes.take(part / 8 * width as usize))??;
            let mut rest = packed.iter();
            let (mut held, mut filled) = (0_u128, 0);
            let mask = (1_u128 << width) - 1;
            for _ in 0..part.min(left) {
                while filled < width {
                    held |= u128::from(rest.next().copied().unwrap_or(0)) << filled;
                    filled += 8;
                }
                let delta = ((held & mask) as u64).cast_signed();
                held >>= width;
                filled -= width;
                value = wrapped(value.wrapping_add(least).wrapping_add(delta));
                each(value);
            }
            left -= part.min(left);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back() {
        let days: Vec<i64> = (0..1000).map(|day| 18_000 + day + day / 5 * 2).collect();
        let wild: Vec<i64> = (0..300_i64).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed())).collect();
        for values in [&days[..], &days[..1], &days[..2], &days[..33], &days[..130], &[], &wild, &[i64::MIN, i64::MAX, 0]] {
            let mut bytes = Vec::new();
            put(&mut bytes, values, 64);
            let (mut back, mut rest) = (Vec::new(), Bytes(&bytes));
            read(&mut rest, values.len(), 64, |value| back.push(value)).expect("numbers");
            assert_eq!((back.as_slice(), rest.0.len()), (values, 0));
            assert_eq!(read(&mut Bytes(&bytes), values.len() + 1, 64, drop), None);
        }
        let mut bytes = Vec::new();
        put(&mut bytes, &days, 32);
        assert!(bytes.len() < 400, "two bits a day: {}", bytes.len());
    }

    #[test]
    fn differences_wrap_at_their_width() {
        let values = [i64::from(i32::MIN), i64::from(i32::MAX), -1, 0, i64::from(i32::MAX)];
        let (mut bytes, mut back) = (Vec::new(), Vec::new());
        put(&mut bytes, &values, 32);
        read(&mut Bytes(&bytes), values.len(), 32, |value| back.push(value)).expect("numbers");
        assert_eq!(back, values);
    }
}
