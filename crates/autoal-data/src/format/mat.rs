//! MATLAB's MAT files of version 5, little-endian, as far as numeric arrays go.
//!
//! A header of 128 bytes, then elements: a tag (type, size) and data. A top-level element is an array (type 14) or a zlib stream that
//! holds one (type 15). An array's parts are flags, dimensions, name and values; they are padded to 8 bytes, and a part of at most 4
//! bytes may be packed into its tag. Values are in column-major order. Format: "MAT-File Format" of the makers of MATLAB,
//! level 5.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::ZlibDecoder;

use crate::{DataError, Progress, progress};

/// A numeric array in column-major order.
#[derive(Debug)]
pub(crate) struct MatArray {
    pub(crate) name: String,
    pub(crate) dims: Vec<usize>,
    pub(crate) values: MatValues,
}

/// Values as they are stored, which may be a narrower type than the array's own.
#[derive(Debug)]
pub(crate) enum MatValues {
    U8(Vec<u8>),
    /// Any other numeric type.
    Other(Vec<f64>),
}

const HEADER_BYTES: usize = 128;
const ARRAY: u32 = 14;
const COMPRESSED: u32 = 15;

/// Reads all arrays of a file.
pub(crate) fn read_mat(path: &Path, progress: &dyn Progress) -> Result<Vec<MatArray>, DataError> {
    let file = File::open(path).map_err(|source| DataError::io(path, source))?;
    let total = file.metadata().ok().map(|metadata| metadata.len());
    progress.start(&progress::reading(path), total);
    let arrays = read_arrays(&mut BufReader::with_capacity(1 << 16, progress::Counting::new(file, progress)));
    progress.finish();
    arrays.map_err(|problem| match problem {
        Problem::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            DataError::format(path, format!("cannot be unpacked: {source}"))
        }
        Problem::Io(_) => DataError::format(path, "truncated: an element ends before its size"),
        Problem::Format(detail) => DataError::format(path, detail),
    })
}

enum Problem {
    Io(std::io::Error),
    Format(String),
}

impl From<std::io::Error> for Problem {
    fn from(source: std::io::Error) -> Self {
        Self::Io(source)
    }
}

fn read_arrays(reader: &mut impl BufRead) -> Result<Vec<MatArray>, Problem> {
    let header = up_to(reader, HEADER_BYTES)?;
    if header.len() < HEADER_BYTES || header[126..] != *b"IM" || header[124..126] != [0, 1] {
        let found = header.get(124..).map_or_else(|| format!("{} bytes in all", header.len()), |end| format!("{end:02x?}"));
        let expected = "expected a little-endian MAT file of version 5 (00 01 49 4d at byte 124)";
        return Err(Problem::Format(format!("{expected}, found {found}")));
    }
    let mut arrays = Vec::new();
    while !reader.fill_buf()?.is_empty() {
        let [kind, size] = read_pair(reader)?;
        let mut element = reader.take(u64::from(size));
        arrays.extend(match kind {
            COMPRESSED => read_compressed(&mut element)?,
            ARRAY => read_array(&mut element)?,
            _ => None,
        });
        std::io::copy(&mut element, &mut std::io::sink())?;
        if element.limit() > 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
    }
    Ok(arrays)
}

fn read_compressed(element: &mut impl Read) -> Result<Option<MatArray>, Problem> {
    let mut inflated = ZlibDecoder::new(element);
    let [kind, size] = read_pair(&mut inflated)?;
    if kind != ARRAY {
        return Ok(None);
    }
    let array = read_array(&mut (&mut inflated).take(u64::from(size)))?;
    // The stream's checksum is compared when its end is read.
    std::io::copy(&mut inflated, &mut std::io::sink())?;
    Ok(array)
}

/// Reads the parts of an array; `None` when it has no numbers (a cell, a structure, a string).
fn read_array(reader: &mut impl Read) -> Result<Option<MatArray>, Problem> {
    /// `mxDOUBLE_CLASS` to `mxUINT64_CLASS`.
    const NUMERIC: std::ops::RangeInclusive<u8> = 6..=15;
    let (_, flags) = read_part(reader)?;
    if !flags.first().is_some_and(|class| NUMERIC.contains(class)) {
        return Ok(None);
    }
    let (_, dims) = read_part(reader)?;
    let dims: Vec<usize> = dims.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes) as usize).collect();
    let (_, name) = read_part(reader)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    let (kind, bytes) = read_part(reader)?;
    let values =
        parse_values(kind, bytes).ok_or_else(|| Problem::Format(format!("array `{name}`: unknown element type {kind}")))?;
    let found = match &values {
        MatValues::U8(values) => values.len(),
        MatValues::Other(values) => values.len(),
    };
    if dims.iter().try_fold(1_usize, |product, axis| product.checked_mul(*axis)) != Some(found) {
        return Err(Problem::Format(format!("array `{name}`: dimensions {dims:?} do not agree with {found} values")));
    }
    Ok(Some(MatArray { name, dims, values }))
}

fn parse_values(kind: u32, bytes: Vec<u8>) -> Option<MatValues> {
    fn each<const SIZE: usize>(bytes: &[u8], parse: fn([u8; SIZE]) -> f64) -> Vec<f64> {
        bytes.as_chunks().0.iter().map(|bytes| parse(*bytes)).collect()
    }
    Some(MatValues::Other(match kind {
        1 => each(&bytes, |b| f64::from(i8::from_le_bytes(b))),
        2 => return Some(MatValues::U8(bytes)),
        3 => each(&bytes, |b| f64::from(i16::from_le_bytes(b))),
        4 => each(&bytes, |b| f64::from(u16::from_le_bytes(b))),
        5 => each(&bytes, |b| f64::from(i32::from_le_bytes(b))),
        6 => each(&bytes, |b| f64::from(u32::from_le_bytes(b))),
        7 => each(&bytes, |b| f64::from(f32::from_le_bytes(b))),
        9 => each(&bytes, f64::from_le_bytes),
        12 => each(&bytes, |b| i64::from_le_bytes(b) as f64),
        13 => each(&bytes, |b| u64::from_le_bytes(b) as f64),
        _ => return None,
    }))
}

/// Type and data of one part.
fn read_part(reader: &mut impl Read) -> Result<(u32, Vec<u8>), Problem> {
    let [tag, size] = read_pair(reader)?;
    let packed = tag >> 16;
    if packed > 0 {
        let bytes = size.to_le_bytes();
        let data = bytes
            .get(..packed as usize)
            .ok_or_else(|| Problem::Format(format!("a packed part of {packed} bytes, at most 4 fit")))?;
        return Ok((tag & 0xffff, data.to_vec()));
    }
    let data = up_to(reader, size as usize)?;
    if data.len() < size as usize {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    up_to(reader, (size as usize).next_multiple_of(8) - size as usize)?;
    Ok((tag, data))
}

fn read_pair(reader: &mut impl Read) -> Result<[u32; 2], Problem> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    let [a, b, c, d, e, f, g, h] = bytes;
    Ok([u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])])
}

fn up_to(reader: &mut impl Read, bytes: usize) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(bytes as u64).read_to_end(&mut out)?;
    Ok(out)
}
