//! Values as streams of bytes, all first ones, all second ones, … (Parquet's BYTE_STREAM_SPLIT), and zstd frames in which only
//! those streams are compressed that can be.
//!
//! The low bytes of a computed value are noise, and looking for repetitions in noise is what costs a compressor its time. A zstd
//! frame may consist of stored, repeated and compressed blocks: here noise is stored, zeros are one block, and only the rest is
//! handed to the compressor. Any zstd decoder reads that.

use std::io;
use zstd::bulk::Compressor;

/// Swaps the bytes of eight values: word `n` of the result has byte `n` of each. Its own inverse.
fn transposed(mut words: [u64; 8]) -> [u64; 8] {
    for (distance, mask) in [(4, 0x0000_0000_ffff_ffff_u64), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)] {
        let shift = 8 * distance;
        let [a, b, c, d, e, f, g, h] = &mut words;
        let pairs = match distance {
            4 => [(a, e), (b, f), (c, g), (d, h)],
            2 => [(a, c), (b, d), (e, g), (f, h)],
            _ => [(a, b), (c, d), (e, f), (g, h)],
        };
        for (low, high) in pairs {
            let swapped = (*low >> shift ^ *high) & mask;
            *high ^= swapped;
            *low ^= swapped << shift;
        }
    }
    words
}

/// Appends the byte streams of values.
pub fn put_streams(out: &mut Vec<u8>, values: &[f64]) {
    let start = out.len();
    out.resize(start + values.len() * 8, 0);
    let Some(streams) = out.get_mut(start..).filter(|_| !values.is_empty()) else { return };
    let mut streams = streams.chunks_exact_mut(values.len());
    let mut streams: [std::slice::ChunksMut<'_, u8>; 8] = std::array::from_fn(|_| streams.next().unwrap_or_default().chunks_mut(8));
    for values in values.chunks(8) {
        let mut words = [0; 8];
        for (word, value) in words.iter_mut().zip(values) {
            *word = value.to_bits();
        }
        for (stream, word) in streams.iter_mut().zip(transposed(words)) {
            let Some(place) = stream.next() else { continue };
            match <&mut [u8; 8]>::try_from(&mut *place) {
                Ok(place) => *place = word.to_le_bytes(),
                Err(_last) => place.iter_mut().zip(word.to_le_bytes()).for_each(|(place, byte)| *place = byte),
            }
        }
    }
}

/// Appends the values of byte streams.
pub fn read_streams(streams: &[u8], out: &mut Vec<f64>) {
    let rows = streams.len() / 8;
    if rows == 0 {
        return;
    }
    let mut parts = streams.chunks_exact(rows);
    let mut parts: [std::slice::Chunks<'_, u8>; 8] = std::array::from_fn(|_| parts.next().unwrap_or_default().chunks(8));
    let mut left = rows;
    while left > 0 {
        let mut words = [0; 8];
        for (word, part) in words.iter_mut().zip(&mut parts) {
            let part = part.next().unwrap_or_default();
            *word = u64::from_le_bytes(<[u8; 8]>::try_from(part).unwrap_or_else(|_last| {
                let mut bytes = [0; 8];
                bytes.iter_mut().zip(part).for_each(|(place, byte)| *place = *byte);
                bytes
            }));
        }
        let values = transposed(words).map(f64::from_bits);
        out.extend_from_slice(values.get(..left.min(8)).unwrap_or_default());
        left = left.saturating_sub(8);
    }
}

/// The same for short values.
pub fn put_short_streams(out: &mut Vec<u8>, values: &[f32]) {
    for byte in 0..4 {
        out.extend(values.iter().map(|value| (value.to_bits() >> (8 * byte)) as u8));
    }
}

/// The same for short values.
pub fn read_short_streams(streams: &[u8], out: &mut Vec<f64>) {
    let rows = streams.len() / 4;
    let (low, high) = streams.split_at_checked(rows * 2).unwrap_or_default();
    let ((a, b), (c, d)) = (low.split_at_checked(rows).unwrap_or_default(), high.split_at_checked(rows).unwrap_or_default());
    let bytes = a.iter().zip(b).zip(c.iter().zip(d));
    out.extend(bytes.map(|((a, b), (c, d))| f64::from(f32::from_le_bytes([*a, *b, *c, *d]))));
}

/// Most bytes of one block of a frame.
const BLOCK: usize = 128 * 1024;
/// What a zstd frame begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The descriptor of a frame of one segment that says its length in four bytes.
const ONE_SEGMENT: u8 = 2 << 6 | 1 << 5;

/// Kinds of blocks.
#[derive(Clone, Copy)]
enum Block {
    Stored = 0,
    Repeated = 1,
}

/// How the bytes of a frame are kept; what is left behind these is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Stored first.
    pub head: usize,
    /// Zeros after that.
    pub zeros: usize,
    /// Stored after that.
    pub noise: usize,
}

/// Appends a zstd frame of `bytes`. `scratch` is overwritten.
///
/// # Errors
/// What the compressor says.
pub fn put_frame(
    out: &mut Vec<u8>,
    bytes: &[u8],
    layout: Layout,
    compressor: &mut Compressor<'_>,
    scratch: &mut Vec<u8>,
) -> io::Result<()> {
    out.extend(MAGIC);
    out.push(ONE_SEGMENT);
    out.extend(u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes());
    let (head, rest) = bytes.split_at_checked(layout.head).unwrap_or_default();
    let (zeros, rest) = rest.split_at_checked(layout.zeros).unwrap_or_default();
    let (noise, rest) = rest.split_at_checked(layout.noise).unwrap_or_default();
    if head.len() + zeros.len() + noise.len() + rest.len() != bytes.len() {
        return Err(io::Error::other("the parts of a frame do not fit it"));
    }
    if zeros.is_empty() {
        // One block where there could be two.
        put_blocks(out, Block::Stored, bytes.get(..layout.head + layout.noise).unwrap_or_default());
    } else {
        put_blocks(out, Block::Stored, head);
        put_blocks(out, Block::Repeated, zeros);
        put_blocks(out, Block::Stored, noise);
    }
    let before = out.len();
    if !rest.is_empty() {
        scratch.clear();
        scratch.reserve(zstd::zstd_safe::compress_bound(rest.len()));
        compressor.compress_to_buffer(rest, scratch)?;
        // Blocks of another frame are as good in this one: stored and repeated ones leave no state behind.
        out.extend_from_slice(blocks_of(scratch).ok_or_else(|| io::Error::other("the compressor's frame is none"))?);
        if out.len() - before > rest.len() {
            out.truncate(before);
            put_blocks(out, Block::Stored, rest);
            mark_last(out, before, rest.len());
        }
    } else {
        // An empty last block.
        out.extend([1, 0, 0]);
    }
    Ok(())
}

fn put_blocks(out: &mut Vec<u8>, block: Block, bytes: &[u8]) {
    for part in bytes.chunks(BLOCK) {
        let head = (part.len() as u32) << 3 | (block as u32) << 1;
        let [a, b, c, _] = head.to_le_bytes();
        out.extend([a, b, c]);
        match block {
            Block::Stored => out.extend_from_slice(part),
            Block::Repeated => out.push(0),
        }
    }
}

/// Marks the last of the stored blocks that begin at `start` as the frame's last.
fn mark_last(out: &mut [u8], start: usize, length: usize) {
    let last = start + length.saturating_sub(1) / BLOCK * (BLOCK + 3);
    if let Some(head) = out.get_mut(last) {
        *head |= 1;
    }
}

/// The blocks of a frame without its header.
fn blocks_of(frame: &[u8]) -> Option<&[u8]> {
    let descriptor = *frame.strip_prefix(&MAGIC)?.first()?;
    let one_segment = descriptor & 1 << 5 != 0;
    let has_extras = descriptor & 0b111 != 0;
    let length = match descriptor >> 6 {
        0 => usize::from(one_segment),
        power => 1 << power,
    };
    if has_extras {
        return None;
    }
    frame.get(MAGIC.len() + 1 + usize::from(!one_segment) + length..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_come_back() {
        for rows in [0, 1, 7, 8, 9, 64, 1001] {
            let values: Vec<f64> = (0..rows).map(|row| f64::from_bits(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(row + 1))).collect();
            let mut streams = vec![3];
            put_streams(&mut streams, &values);
            for (row, value) in values.iter().enumerate() {
                for (byte, found) in value.to_bits().to_le_bytes().into_iter().enumerate() {
                    assert_eq!(streams[1 + byte * values.len() + row], found);
                }
            }
            let mut back = Vec::new();
            read_streams(&streams[1..], &mut back);
            assert!(back.len() == values.len() && back.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
            let short: Vec<f32> = (0..rows).map(|row| row as f32 * 0.7 - 3.0).collect();
            let (mut streams, mut back) = (Vec::new(), Vec::new());
            put_short_streams(&mut streams, &short);
            read_short_streams(&streams, &mut back);
            assert_eq!(back, short.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn frames_of_every_layout_decompress() {
        let noise = |length: usize| (0..length).map(|at| ((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8);
        let mut compressor = Compressor::new(-1).expect("compressor");
        let mut scratch = Vec::new();
        for (head, zeros, middle, rest) in
            [(0, 0, 0, 0), (7, 0, 0, 0), (7, 0, 600, 300), (9, 500, 0, 300), (9, 200_000, 300_000, 400_000), (0, 0, 0, 5), (0, 4, 4, 0)]
        {
            for is_noise in [false, true] {
                let mut bytes: Vec<u8> = noise(head).collect();
                bytes.resize(head + zeros, 0);
                bytes.extend(noise(middle));
                if is_noise {
                    bytes.extend(noise(rest));
                } else {
                    bytes.extend((0..rest).map(|at| (at % 7) as u8));
                }
                let mut frame = Vec::new();
                put_frame(&mut frame, &bytes, Layout { head, zeros, noise: middle }, &mut compressor, &mut scratch).expect("frame");
                assert_eq!(zstd::bulk::decompress(&frame, bytes.len()).expect("decompressed"), bytes, "{head} {zeros} {middle} {rest}");
            }
        }
    }
}
