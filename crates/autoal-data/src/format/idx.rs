//! IDX arrays of bytes, as MNIST has them, plain or compressed by gzip.
//!
//! Two zero bytes, the element type (8 = unsigned byte), the number of axes, their lengths as big-endian `u32`, then the values in C
//! order.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::DataError;

/// An array of bytes in C order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Idx {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<u8>,
}

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const UNSIGNED_BYTE: u8 = 8;

/// Reads an IDX file, whether it is compressed or not.
pub(crate) fn read_idx(path: &Path) -> Result<Idx, DataError> {
    let io = |source| DataError::io(path, source);
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    if file.fill_buf().map_err(io)?.starts_with(&GZIP_MAGIC) {
        parse(path, &mut MultiGzDecoder::new(file))
    } else {
        parse(path, &mut file)
    }
}

fn parse(path: &Path, reader: &mut impl Read) -> Result<Idx, DataError> {
    let io = |source| DataError::io(path, source);
    let start = up_to(reader, 4).map_err(io)?;
    let [0, 0, kind, axes] = *start else {
        let detail = format!("byte 0: expected the magic of an IDX file (0, 0, 8, number of axes), found {start:02x?}");
        return Err(DataError::format(path, detail));
    };
    if kind != UNSIGNED_BYTE {
        return Err(DataError::format(path, format!("byte 2: expected element type 8 (unsigned byte), found {kind}")));
    }
    let lengths = up_to(reader, 4 * u64::from(axes)).map_err(io)?;
    if lengths.len() < 4 * usize::from(axes) {
        let detail = format!("truncated: {axes} axes need {} bytes of lengths, found {}", 4 * usize::from(axes), lengths.len());
        return Err(DataError::format(path, detail));
    }
    let shape: Vec<usize> = lengths.as_chunks().0.iter().map(|bytes| u32::from_be_bytes(*bytes) as usize).collect();
    let expected = shape.iter().try_fold(1_u64, |product, axis| product.checked_mul(*axis as u64));
    let expected = expected.filter(|bytes| *bytes < u64::MAX);
    let expected = expected.ok_or_else(|| DataError::format(path, format!("shape {shape:?} cannot be held in memory")))?;
    // One byte more than there should be shows whether there are any.
    let values = up_to(reader, expected + 1).map_err(io)?;
    match (values.len() as u64).cmp(&expected) {
        std::cmp::Ordering::Equal => Ok(Idx { shape, values }),
        std::cmp::Ordering::Less => Err(DataError::format(
            path,
            format!("truncated: shape {shape:?} needs {expected} bytes of values, found {}", values.len()),
        )),
        std::cmp::Ordering::Greater => {
            Err(DataError::format(path, format!("more bytes follow the {expected} values of shape {shape:?}")))
        }
    }
}

fn up_to(reader: &mut impl Read, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(bytes).read_to_end(&mut out)?;
    Ok(out)
}
