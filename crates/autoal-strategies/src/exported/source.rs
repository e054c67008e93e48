//! Arrays by name, from an archive or from a folder.

use std::fs::File;
use std::path::{Path, PathBuf};

use autoal_data::DataError;
use autoal_data::npy::{self, Dtype, NpyArray, NpyHeader, Npz};
use memmap2::Mmap;
use ndarray::{ArrayView1, ArrayView2, ArrayView3};

/// Where arrays come from.
pub(super) struct Source {
    path: PathBuf,
    archive: Option<Npz>,
}

impl Source {
    /// Opens a `.npz` file or a folder of `.npy` files.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let archive = if path.is_dir() { None } else { Some(Npz::open(path)?) };
        Ok(Self { path: path.to_owned(), archive })
    }

    /// An error about these arrays.
    pub(super) fn error(&self, detail: &str) -> DataError {
        DataError::Format { path: self.path.clone(), detail: detail.to_owned() }
    }

    /// The array of that name, which must have `axes` axes; `None` when it is not there.
    pub(super) fn floats(&mut self, name: &str, axes: usize) -> Result<Option<Floats>, DataError> {
        let floats = match &self.archive {
            Some(_) => self.array(name)?.map(|array| Floats::of(&array)),
            None => self.mapped(name)?,
        };
        let Some(floats) = floats else { return Ok(None) };
        if floats.shape.len() != axes {
            return Err(self.error(&format!("`{name}` has shape {:?}, expected {}", floats.shape, form(axes))));
        }
        Ok(Some(floats))
    }

    /// The array of that name as whole numbers; `None` when it is not there. Further axes of length 1 are accepted.
    pub(super) fn integers<T: TryFrom<i64>>(&mut self, name: &str) -> Result<Option<Vec<T>>, DataError> {
        let Some(array) = self.array(name)? else { return Ok(None) };
        if array.shape().iter().skip(1).any(|axis| *axis != 1) || array.shape().is_empty() {
            return Err(self.error(&format!("`{name}` has shape {:?}, expected {}", array.shape(), form(1))));
        }
        let values = array.to_i64().map_err(|source| self.array_error(name, source))?;
        let whole = values.into_iter().enumerate().map(|(row, value)| {
            T::try_from(value).map_err(|_| self.error(&format!("`{name}` holds {value} at row {row}, which is out of range")))
        });
        whole.collect::<Result<_, _>>().map(Some)
    }

    fn array(&mut self, name: &str) -> Result<Option<NpyArray>, DataError> {
        match &mut self.archive {
            Some(archive) if archive.contains(name) => archive.read(name).map(Some),
            Some(_) => Ok(None),
            None => match self.file(name) {
                Some(file) => npy::read_file(&file).map(Some),
                None => Ok(None),
            },
        }
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.path.join(format!("{name}.npy"))).filter(|file| file.is_file())
    }

    fn mapped(&self, name: &str) -> Result<Option<Floats>, DataError> {
        let Some(file) = self.file(name) else { return Ok(None) };
        let header = npy::read_file_header(&file)?;
        let usable = header.dtype == Dtype::F32 && !header.big_endian && (!header.fortran_order || header.shape.len() < 2);
        if usable
            && cfg!(target_endian = "little")
            && !header.is_empty()
            && let Some(floats) = Floats::map(&file, header)?
        {
            return Ok(Some(floats));
        }
        npy::read_file(&file).map(|array| Some(Floats::of(&array)))
    }

    fn array_error(&self, name: &str, source: npy::NpyError) -> DataError {
        DataError::Array { path: self.path.clone(), array: name.to_owned(), source }
    }
}

/// The shape that an array with so many axes should have, for messages.
fn form(axes: usize) -> &'static str {
    match axes {
        1 => "[samples]",
        2 => "[samples, columns]",
        _ => "[passes, samples, classes]",
    }
}

/// An array of `f32` in C order, in memory or in a mapped file.
pub(super) struct Floats {
    shape: Vec<usize>,
    values: Values,
}

enum Values {
    Memory(Vec<f32>),
    /// The file and the byte at which values begin.
    Mapped(Mmap, usize),
}

impl Floats {
    fn of(array: &NpyArray) -> Self {
        Self { shape: array.shape().to_vec(), values: Values::Memory(array.to_f32()) }
    }

    /// From values in C order.
    pub(super) fn new(shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self { shape, values: Values::Memory(values) }
    }

    /// Maps a file of little-endian `f32` in C order; `None` when its values do not lie at a multiple of four bytes.
    fn map(path: &Path, header: NpyHeader) -> Result<Option<Self>, DataError> {
        let io = |source| DataError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        #[expect(
            unsafe_code,
            reason = "mapping is the point of a folder of .npy files; a file changed during a query gives wrong numbers, as any shared file does"
        )]
        // SAFETY: the map is only read, as plain bytes of which every pattern is a valid `f32`.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        let floats = Self { shape: header.shape, values: Values::Mapped(map, header.data_offset) };
        Ok((floats.values().len() == floats.shape.iter().product::<usize>()).then_some(floats))
    }

    /// Lengths of the axes.
    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn values(&self) -> &[f32] {
        match &self.values {
            Values::Memory(values) => values,
            Values::Mapped(map, offset) => {
                let len = 4 * self.shape.iter().product::<usize>();
                let bytes = map.get(*offset..offset + len).unwrap_or_default();
                #[expect(unsafe_code, reason = "the standard library has no safe view of bytes as numbers")]
                // SAFETY: every four bytes are a valid `f32`; `align_to` leaves unaligned bytes out of the middle part.
                let (before, values, after) = unsafe { bytes.align_to::<f32>() };
                if before.is_empty() && after.is_empty() { values } else { &[] }
            }
        }
    }

    /// The array as a vector, `[N]`.
    pub(super) fn vector(&self) -> ArrayView1<'_, f32> {
        ArrayView1::from(self.values())
    }

    /// The array as a matrix.
    pub(super) fn matrix(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.shape[0], self.shape[1]), self.values()).expect("a source checks the number of axes")
    }

    /// The array as passes over a matrix.
    pub(super) fn cube(&self) -> ArrayView3<'_, f32> {
        ArrayView3::from_shape((self.shape[0], self.shape[1], self.shape[2]), self.values())
            .expect("a source checks the number of axes")
    }
}
