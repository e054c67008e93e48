//! Checksums of a file, computed while it is written or read.

use std::io::Read;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::registry::FileEntry;
use crate::split::hexadecimal;

/// The hashes that a file's entry asks for, and its length.
pub(crate) struct Checksums {
    md5: Option<Md5>,
    sha256: Option<Sha256>,
    bytes: u64,
}

impl Checksums {
    pub(crate) fn of(file: &FileEntry) -> Self {
        Self { md5: file.md5.is_some().then(Md5::new), sha256: file.sha256_prefix.is_some().then(Sha256::new), bytes: 0 }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
    }

    /// Takes in all that is left of `reader`.
    pub(crate) fn read(&mut self, reader: &mut impl Read) -> std::io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(bytes) => self.update(&buffer[..bytes]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What differs from the file's entry, in words.
    pub(crate) fn compare(self, file: &FileEntry) -> Result<(), String> {
        if let Some(expected) = file.bytes.filter(|expected| *expected != self.bytes) {
            return Err(format!("expected {expected} bytes, found {}", self.bytes));
        }
        let md5 = self.md5.map(|md5| hexadecimal(&md5.finalize())).unwrap_or_default();
        if let Some(expected) = file.md5.as_ref().filter(|expected| **expected != md5) {
            return Err(format!("expected MD5 {expected}, found {md5}"));
        }
        let sha256 = self.sha256.map(|sha256| hexadecimal(&sha256.finalize())).unwrap_or_default();
        if let Some(expected) = file.sha256_prefix.as_ref().filter(|expected| !sha256.starts_with(expected.as_str())) {
            return Err(format!("expected a SHA-256 that begins with {expected}, found {sha256}"));
        }
        Ok(())
    }
}
