//! Compressed twins beside each file, so that the server only picks.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Brotli's slowest and smallest: the work is done once, here.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW: u32 = 22;

/// Writes `{file}.br` and `{file}.gz`; returns the size of the former.
pub(crate) fn twins(file: &Path) -> Result<u64> {
    let bytes = fs::read(file)?;
    let br = beside(file, "br");
    let mut writer = brotli::CompressorWriter::new(
        BufWriter::new(File::create(&br)?),
        1 << 16,
        BROTLI_QUALITY,
        BROTLI_WINDOW,
    );
    writer.write_all(&bytes)?;
    writer.into_inner().flush()?;
    // No name and no time in the header: the same input gives the same bytes.
    let mut writer = flate2::write::GzEncoder::new(
        BufWriter::new(File::create(beside(file, "gz"))?),
        flate2::Compression::best(),
    );
    writer.write_all(&bytes)?;
    writer.finish()?.flush()?;
    Ok(fs::metadata(br)?.len())
}

fn beside(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn twins_unpack_to_the_original() -> Result<()> {
        let folder = Scratch::new()?;
        let file = folder.path().join("a.css");
        let text = ".a{color:red}".repeat(1000);
        fs::write(&file, &text)?;
        let size = twins(&file)?;
        assert!(size < 200, "{size}");

        let mut unpacked = String::new();
        brotli::Decompressor::new(File::open(beside(&file, "br"))?, 4096).read_to_string(&mut unpacked)?;
        assert_eq!(unpacked, text);
        unpacked.clear();
        flate2::read::GzDecoder::new(File::open(beside(&file, "gz"))?).read_to_string(&mut unpacked)?;
        assert_eq!(unpacked, text);
        Ok(())
    }
}
