//! An array in memory, and its conversions to Rust's number types.

use std::io::Read;

use half::f16;

use super::{Dtype, NpyError, NpyHeader, read_header};

/// An array in C order (the last index varies fastest).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpyArray {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Little-endian, whatever the file was.
    bytes: Vec<u8>,
}

impl NpyArray {
    /// Reads header and values from `reader`, which holds `available` bytes in all. Nothing larger than that is allocated, so a header
    /// cannot ask for more memory than its file justifies.
    pub fn read(reader: &mut impl Read, available: u64) -> Result<Self, NpyError> {
        let header = read_header(reader)?;
        let present = available.saturating_sub(header.data_offset as u64);
        if present < header.num_bytes() as u64 {
            return Err(truncated(&header, present));
        }
        let mut bytes = Vec::with_capacity(header.num_bytes());
        reader.take(header.num_bytes() as u64).read_to_end(&mut bytes)?;
        if bytes.len() < header.num_bytes() {
            return Err(truncated(&header, bytes.len() as u64));
        }
        let size = header.dtype.size();
        if header.big_endian {
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        if header.fortran_order && header.shape.len() > 1 {
            bytes = to_c_order(&bytes, &header.shape, size);
        }
        Ok(Self { dtype: header.dtype, shape: header.shape, bytes })
    }

    /// Type of the elements.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.dtype.size()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The values as `f32`, rounded to the nearest where the stored type is wider.
    pub fn to_f32(&self) -> Vec<f32> {
        match self.dtype {
            Dtype::F32 => self.elements(f32::from_le_bytes).collect(),
            _ => self.convert(|integer| integer as f32, |float| float as f32),
        }
    }

    /// The values as `f64`; integers beyond 2^53 are rounded.
    pub fn to_f64(&self) -> Vec<f64> {
        match self.dtype {
            Dtype::F64 => self.elements(f64::from_le_bytes).collect(),
            _ => self.convert(|integer| integer as f64, |float| float),
        }
    }

    /// The values as `u8`, without a copy when they are stored so. Fails on values outside 0..=255 and on fractions.
    pub fn into_u8(self) -> Result<Vec<u8>, NpyError> {
        if self.dtype == Dtype::U8 { Ok(self.bytes) } else { self.to_integers("a whole number in 0..=255") }
    }

    /// The values as `u16`. Fails on values outside that type and on fractions.
    pub fn to_u16(&self) -> Result<Vec<u16>, NpyError> {
        self.to_integers("a whole number in 0..=65535")
    }

    /// The values as `u32`. Fails on values outside that type and on fractions.
    pub fn to_u32(&self) -> Result<Vec<u32>, NpyError> {
        self.to_integers("a whole number in 0..=4294967295")
    }

    /// The values as `i64`. Fails on values outside that type and on fractions.
    pub fn to_i64(&self) -> Result<Vec<i64>, NpyError> {
        self.to_integers("a whole number of 64 bits")
    }

    fn to_integers<T: TryFrom<i128>>(&self, expected: &'static str) -> Result<Vec<T>, NpyError> {
        let values = self.convert(
            |integer| T::try_from(integer).map_err(|_| integer.to_string()),
            |float| {
                let whole = float.fract() == 0.0;
                whole.then_some(float as i128).and_then(|integer| T::try_from(integer).ok()).ok_or_else(|| float.to_string())
            },
        );
        values
            .into_iter()
            .enumerate()
            .map(|(index, value)| value.map_err(|value| NpyError::Value { index, value, expected }))
            .collect()
    }

    fn elements<const SIZE: usize, T>(&self, parse: fn([u8; SIZE]) -> T) -> impl Iterator<Item = T> {
        self.bytes.as_chunks::<SIZE>().0.iter().map(move |bytes| parse(*bytes))
    }

    fn convert<T>(&self, integer: impl Fn(i128) -> T, float: impl Fn(f64) -> T) -> Vec<T> {
        match self.dtype {
            Dtype::Bool => self.bytes.iter().map(|byte| integer(i128::from(*byte != 0))).collect(),
            Dtype::U8 => self.bytes.iter().map(|byte| integer(i128::from(*byte))).collect(),
            Dtype::U16 => self.elements(u16::from_le_bytes).map(|value| integer(i128::from(value))).collect(),
            Dtype::U32 => self.elements(u32::from_le_bytes).map(|value| integer(i128::from(value))).collect(),
            Dtype::U64 => self.elements(u64::from_le_bytes).map(|value| integer(i128::from(value))).collect(),
            Dtype::I8 => self.elements(i8::from_le_bytes).map(|value| integer(i128::from(value))).collect(),
            Dtype::I16 => self.elements(i16::from_le_bytes).map(|value| integer(i128::from(value))).collect(),
            Dtype::I32 => self.elements(i32::from_le_bytes).map(|value| integer(i128::from(value))).collect(),
            Dtype::I64 => self.elements(i64::from_le_bytes).map(|value| integer(i128::from(value))).collect(),
            Dtype::F16 => self.elements(f16::from_le_bytes).map(|value| float(value.to_f64())).collect(),
            Dtype::F32 => self.elements(f32::from_le_bytes).map(|value| float(f64::from(value))).collect(),
            Dtype::F64 => self.elements(f64::from_le_bytes).map(float).collect(),
        }
    }
}

fn truncated(header: &NpyHeader, found: u64) -> NpyError {
    NpyError::Truncated { shape: header.shape.clone(), dtype: header.dtype, expected: header.num_bytes() as u64, found }
}

/// Reorders elements of `size` bytes from first-index-fastest to last-index-fastest.
fn to_c_order(bytes: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let strides: Vec<usize> = (0..shape.len()).map(|axis| size * shape[..axis].iter().product::<usize>()).collect();
    let mut index = vec![0; shape.len()];
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while out.len() < bytes.len() {
        out.extend_from_slice(&bytes[at..at + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    out
}
