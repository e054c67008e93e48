//! NumPy's `.npy` arrays and `.npz` archives.
//!
//! [`Npz`] reads arrays by name, [`read_file`] reads a single `.npy`, and [`NpyHeader::data_offset`] is where a caller that maps a
//! file into memory finds the values. Whatever is on disk (either byte order, C or Fortran order), a [`NpyArray`] in memory is in C
//! order. Format: NumPy enhancement proposal 1 and `numpy.lib.format`, versions 1, 2 and 3.

mod array;
mod header;
mod npz;

pub use array::NpyArray;
pub use header::{Dtype, NpyHeader, read_header};
pub use npz::{Npz, read_file, read_file_header};

/// What is wrong with one array; the file and the array's name are added by [`crate::DataError::Array`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyError {
    /// The first six bytes are not NumPy's.
    #[error("byte 0: expected the magic `\\x93NUMPY`, found {found:02x?}; this is not a .npy array")]
    Magic {
        /// The bytes that stand there.
        found: Vec<u8>,
    },
    /// A version that this reader does not know.
    #[error("byte 6: expected version 1, 2 or 3 of the .npy format, found {0}")]
    Version(u8),
    /// The header is not the dictionary it should be.
    #[error("byte {byte} of the header: expected {expected}, found `{found}`")]
    Header {
        /// Offset in the file.
        byte: usize,
        /// What should stand there.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// An element type that has no number in it (objects, strings, dates, records, complex numbers).
    #[error("element type `{0}` is not supported; expected a bool, an integer or a float of up to 64 bits")]
    Dtype(String),
    /// The shape cannot be held in memory.
    #[error("shape {0:?} has more elements than this machine can address")]
    TooLarge(Vec<usize>),
    /// The values end early.
    #[error("truncated: shape {shape:?} of `{dtype}` needs {expected} bytes of values, the file has {found}")]
    Truncated {
        /// Shape in the header.
        shape: Vec<usize>,
        /// Element type in the header.
        dtype: Dtype,
        /// Bytes that the values need.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A value does not fit the type asked for.
    #[error("element {index} is {value}, expected {expected}")]
    Value {
        /// Flat index in C order.
        index: usize,
        /// The value as text.
        value: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// Reading failed below this layer.
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
}
