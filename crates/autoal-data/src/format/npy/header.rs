//! The header of a `.npy` array: a Python dictionary literal with element type, order and shape.

use std::fmt;
use std::io::Read;

use super::NpyError;

/// Type of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Dtype {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
}

impl Dtype {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Parses NumPy's code without its byte order, as `f4`.
    fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "b1" => Self::Bool,
            "u1" => Self::U8,
            "u2" => Self::U16,
            "u4" => Self::U32,
            "u8" => Self::U64,
            "i1" => Self::I8,
            "i2" => Self::I16,
            "i4" => Self::I32,
            "i8" => Self::I64,
            "f2" => Self::F16,
            "f4" => Self::F32,
            "f8" => Self::F64,
            _ => return None,
        })
    }
}

impl fmt::Display for Dtype {
    /// NumPy's name of the type.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        })
    }
}

/// What the header of a `.npy` array says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpyHeader {
    /// Type of the elements.
    pub dtype: Dtype,
    /// Whether multi-byte elements are stored with their highest byte first.
    pub big_endian: bool,
    /// Whether the first index varies fastest on disk.
    pub fortran_order: bool,
    /// Lengths of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// Bytes before the first value.
    pub data_offset: usize,
}

impl NpyHeader {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of all values.
    pub fn num_bytes(&self) -> usize {
        self.len() * self.dtype.size()
    }
}

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longer headers than NumPy itself accepts without being told to trust the file.
const MAX_HEADER_BYTES: usize = 1 << 16;

/// Reads the header and leaves `reader` at the first value.
pub fn read_header(reader: &mut impl Read) -> Result<NpyHeader, NpyError> {
    let start = read_up_to(reader, 8)?;
    if !start.starts_with(MAGIC) || start.len() < 8 {
        return Err(NpyError::Magic { found: start });
    }
    let length_bytes = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(NpyError::Version(version)),
    };
    let mut length = [0; 4];
    reader.read_exact(&mut length[..length_bytes])?;
    let length = u32::from_le_bytes(length) as usize;
    let offset = 8 + length_bytes;
    if length > MAX_HEADER_BYTES {
        return Err(NpyError::Header { byte: 8, expected: "a header of at most 65536 bytes", found: length.to_string() });
    }
    let text = read_up_to(reader, length)?;
    if text.len() < length {
        return Err(NpyError::Header {
            byte: offset + text.len(),
            expected: "more of the header",
            found: "end of file".to_owned(),
        });
    }
    Dictionary { text: &text, at: 0, offset }.parse()
}

fn read_up_to(reader: &mut impl Read, length: usize) -> Result<Vec<u8>, NpyError> {
    let mut bytes = Vec::with_capacity(length);
    reader.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A cursor over `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct Dictionary<'a> {
    text: &'a [u8],
    at: usize,
    /// Where `text` begins in the file, for messages.
    offset: usize,
}

impl Dictionary<'_> {
    fn parse(mut self) -> Result<NpyHeader, NpyError> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{', "`{`")?;
        while !self.accept(b'}') {
            let key = self.string("a quoted key")?;
            self.expect(b':', "`:`")?;
            match key.as_str() {
                "descr" => descr = Some(self.dtype()?),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return Err(self.error("`descr`, `fortran_order` or `shape`")),
            }
            if !self.accept(b',') {
                self.expect(b'}', "`,` or `}`")?;
                break;
            }
        }
        let (dtype, big_endian) = descr.ok_or_else(|| self.error("the key `descr`"))?;
        let fortran_order = fortran_order.ok_or_else(|| self.error("the key `fortran_order`"))?;
        let shape: Vec<usize> = shape.ok_or_else(|| self.error("the key `shape`"))?;
        let bytes = shape.iter().try_fold(dtype.size(), |bytes, axis| bytes.checked_mul(*axis));
        // `isize::MAX` is the longest that Rust allocates.
        if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(NpyError::TooLarge(shape));
        }
        Ok(NpyHeader { dtype, big_endian, fortran_order, shape, data_offset: self.offset + self.text.len() })
    }

    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), NpyError> {
        if self.accept(byte) { Ok(()) } else { Err(self.error(expected)) }
    }

    fn error(&self, expected: &'static str) -> NpyError {
        let rest = &self.text[self.at.min(self.text.len())..];
        let found = String::from_utf8_lossy(&rest[..rest.len().min(16)]).trim_end().to_owned();
        let found = if found.is_empty() { "end of the header".to_owned() } else { found };
        NpyError::Header { byte: self.offset + self.at, expected, found }
    }

    fn string(&mut self, expected: &'static str) -> Result<String, NpyError> {
        let Some(quote @ (b'\'' | b'"')) = self.peek() else { return Err(self.error(expected)) };
        let rest = &self.text[self.at + 1..];
        let end = rest.iter().position(|byte| *byte == quote).ok_or_else(|| self.error("a closing quote"))?;
        let value = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.at += end + 2;
        Ok(value)
    }

    /// Element type, and whether its highest byte comes first.
    fn dtype(&mut self) -> Result<(Dtype, bool), NpyError> {
        if self.peek() == Some(b'[') {
            return Err(NpyError::Dtype("a record of several fields".to_owned()));
        }
        let descr = self.string("a quoted element type")?;
        let code = descr.trim_start_matches(['<', '>', '|', '=']);
        let dtype = Dtype::from_code(code).ok_or_else(|| NpyError::Dtype(descr.clone()))?;
        Ok((dtype, descr.starts_with('>')))
    }

    fn boolean(&mut self) -> Result<bool, NpyError> {
        self.peek();
        for (word, value) in [("True", true), ("False", false)] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.error("`True` or `False`"))
    }

    fn tuple(&mut self) -> Result<Vec<usize>, NpyError> {
        self.expect(b'(', "`(`")?;
        let mut axes = Vec::new();
        while !self.accept(b')') {
            axes.push(self.length()?);
            if !self.accept(b',') {
                self.expect(b')', "`,` or `)`")?;
                break;
            }
        }
        Ok(axes)
    }

    fn length(&mut self) -> Result<usize, NpyError> {
        self.peek();
        let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = String::from_utf8_lossy(&self.text[self.at..self.at + digits]);
        let length = text.parse().map_err(|_| self.error("the length of an axis"))?;
        self.at += digits;
        // Python 2 wrote lengths as `3L`.
        self.accept(b'L');
        Ok(length)
    }
}
