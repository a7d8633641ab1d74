//! Page headers as bytes and back: the few fields of Thrift's compact protocol that stand in front of every page. Not a Thrift
//! library: statistics and whatever else another writer put there are skipped.
//!
//! Contract: [`read`] never reads outside the bytes it is given, whatever they hold.

/// A page whose header says nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Values, or a dictionary of them.
    pub kind: Kind,
    /// Bytes when decompressed.
    pub plain_bytes: usize,
    /// Bytes that follow the header.
    pub stored_bytes: usize,
    /// Values, nulls among them.
    pub values: usize,
    /// Parquet's number of the values' encoding.
    pub encoding: i32,
    /// Parquet's number of the definition levels' encoding.
    pub levels_encoding: i32,
}

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Values, in the first version of the format, where levels are compressed with them.
    Data,
    /// A dictionary.
    Dictionary,
    /// Something that this program does not write.
    Other,
}

/// Parquet's numbers of encodings.
pub mod encoding {
    /// Values as they are.
    pub const PLAIN: i32 = 0;
    /// Definition levels, in runs.
    pub const RLE: i32 = 3;
    /// Integers by their differences.
    pub const DELTA_BINARY_PACKED: i32 = 5;
    /// Places in a dictionary.
    pub const RLE_DICTIONARY: i32 = 8;
    /// All first bytes, all second bytes, …
    pub const BYTE_STREAM_SPLIT: i32 = 9;
}

/// Thrift's numbers of types.
mod kind {
    pub const STOP: u8 = 0;
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const BYTE: u8 = 3;
    pub const I16: u8 = 4;
    pub const I32: u8 = 5;
    pub const I64: u8 = 6;
    pub const DOUBLE: u8 = 7;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const SET: u8 = 10;
    pub const STRUCT: u8 = 12;
}

/// Structures within structures that are skipped at most.
const MAX_DEPTH: u32 = 8;

/// Appends a number, seven bits a byte.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A signed number as an unsigned one that is small where the signed one is near zero.
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The other way round.
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Appends a page's header.
pub fn put(out: &mut Vec<u8>, page: &Page) {
    let mut number = |field: u8, value: usize| {
        out.push(field);
        put_varint(out, zigzag(i64::try_from(value).unwrap_or(i64::MAX)));
    };
    // A field's first byte is how many numbers it is behind the last one, and its type.
    let next = 1 << 4 | kind::I32;
    number(next, if page.kind == Kind::Dictionary { 2 } else { 0 });
    number(next, page.plain_bytes);
    number(next, page.stored_bytes);
    out.push(if page.kind == Kind::Dictionary { 4 << 4 | kind::STRUCT } else { 2 << 4 | kind::STRUCT });
    let mut number = |value: u64| {
        out.push(next);
        put_varint(out, value);
    };
    number(zigzag(i64::try_from(page.values).unwrap_or(i64::MAX)));
    number(zigzag(i64::from(page.encoding)));
    if page.kind != Kind::Dictionary {
        number(zigzag(i64::from(page.levels_encoding)));
        number(zigzag(i64::from(encoding::RLE)));
    }
    out.extend([kind::STOP, kind::STOP]);
}

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next number of [`put_varint`].
    pub fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// The next signed number.
    pub fn signed(&mut self) -> Option<i64> {
        self.varint().map(unzigzag)
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.signed()?).ok()
    }

    fn number(&mut self) -> Option<i32> {
        i32::try_from(self.signed()?).ok()
    }

    /// The next field of a structure, its number and type; `None` inside at its end.
    fn field(&mut self, last: &mut i64) -> Option<Option<(i64, u8)>> {
        let byte = self.byte()?;
        if byte == kind::STOP {
            return Some(None);
        }
        *last = if byte >> 4 == 0 { self.signed()? } else { last.checked_add(i64::from(byte >> 4))? };
        Some(Some((*last, byte & 0x0f)))
    }

    fn skip(&mut self, of: u8, depth: u32) -> Option<()> {
        match of {
            kind::TRUE | kind::FALSE => {}
            kind::BYTE => {
                self.byte()?;
            }
            kind::I16 | kind::I32 | kind::I64 => {
                self.varint()?;
            }
            kind::DOUBLE => {
                self.take(8)?;
            }
            kind::BINARY => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.take(length)?;
            }
            kind::LIST | kind::SET if depth < MAX_DEPTH => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..count {
                    let of = head & 0x0f;
                    // Truth in a list takes a byte, and every element takes at least one.
                    self.skip(if matches!(of, kind::TRUE | kind::FALSE) { kind::BYTE } else { of }, depth + 1)?;
                }
            }
            kind::STRUCT if depth < MAX_DEPTH => {
                let mut last = 0;
                while let Some((_, of)) = self.field(&mut last)? {
                    self.skip(of, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// Reads the header in front of a page; `None` when it is none.
pub fn read(bytes: &mut Bytes<'_>) -> Option<Page> {
    let mut page = Page { kind: Kind::Other, plain_bytes: 0, stored_bytes: 0, values: 0, encoding: -1, levels_encoding: -1 };
    let mut last = 0;
    while let Some((field, of)) = bytes.field(&mut last)? {
        match (field, of) {
            (1, kind::I32) => {
                page.kind = match bytes.signed()? {
                    0 => Kind::Data,
                    2 => Kind::Dictionary,
                    _ => Kind::Other,
                };
            }
            (2, kind::I32) => page.plain_bytes = bytes.size()?,
            (3, kind::I32) => page.stored_bytes = bytes.size()?,
            (5 | 7, kind::STRUCT) => {
                let mut last = 0;
                while let Some((field, of)) = bytes.field(&mut last)? {
                    match (field, of) {
                        (1, kind::I32) => page.values = bytes.size()?,
                        (2, kind::I32) => page.encoding = bytes.number()?,
                        (3, kind::I32) => page.levels_encoding = bytes.number()?,
                        _ => bytes.skip(of, 0)?,
                    }
                }
            }
            _ => bytes.skip(of, 0)?,
        }
    }
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_and_nonsense_is_none() {
        for kind in [Kind::Data, Kind::Dictionary] {
            let levels_encoding = if kind == Kind::Data { encoding::RLE } else { -1 };
            let page = Page { kind, plain_bytes: 70_000, stored_bytes: 127, values: 9_000, encoding: 9, levels_encoding };
            let mut bytes = Vec::new();
            put(&mut bytes, &page);
            bytes.push(7);
            let mut rest = Bytes(&bytes);
            assert_eq!(read(&mut rest), Some(page));
            assert_eq!(rest.0, [7]);
            for length in 0..bytes.len() - 1 {
                assert_eq!(read(&mut Bytes(&bytes[..length])), None, "{length}");
            }
        }
    }

    #[test]
    fn any_bytes_end_somewhere() {
        proptest::proptest!(|(bytes in proptest::collection::vec(0_u8.., 0..64))| {
            let mut rest = Bytes(&bytes);
            let found = read(&mut rest);
            proptest::prop_assert!(found.is_none() || rest.0.len() < bytes.len());
        });
    }

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, -1, 63, 64, -65, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, zigzag(value));
            assert_eq!(Bytes(&bytes).signed(), Some(value));
        }
    }
}
