//! One gzip member or zstd frame at a time, from the bytes that happen to be there to the space that
//! happens to be left.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, InBuffer, Operation, OutBuffer};

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    /// With the largest window that a frame may ask for, as base-2 logarithm.
    Zstd {
        window_log_max: u32,
    },
}

impl Codec {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd { .. } => "zstd",
        }
    }
}

/// The largest window of gzip, 32 KiB, as base-2 logarithm.
const GZIP_WINDOW_LOG: u8 = 15;

/// Decodes one member or frame, then the next.
pub(super) enum Decoder {
    Gzip(Box<Decompress>),
    Zstd(Box<ZstdDecoder<'static>>),
}

/// What a step came to.
pub(super) struct Step {
    /// Bytes of the input that were taken.
    pub(super) read: usize,
    /// Bytes of the output that were written. They are right even if the step failed.
    pub(super) written: usize,
    /// Whether the member or frame has ended, with all that it says of itself being true.
    pub(super) ended: io::Result<bool>,
}

impl Decoder {
    pub(super) fn new(codec: Codec) -> io::Result<Self> {
        match codec {
            // Header, CRC and size of members are read and checked by the library.
            Codec::Gzip => Ok(Self::Gzip(Box::new(Decompress::new_gzip(GZIP_WINDOW_LOG)))),
            Codec::Zstd { window_log_max } => {
                let mut decoder = ZstdDecoder::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(window_log_max))?;
                Ok(Self::Zstd(Box::new(decoder)))
            }
        }
    }

    /// Makes ready for the next member or frame.
    pub(super) fn begin(&mut self) {
        match self {
            Self::Gzip(gzip) if gzip.total_in() > 0 => gzip.reset(true),
            // It takes a frame after a frame.
            Self::Gzip(_) | Self::Zstd(_) => {}
        }
    }

    /// Goes on with `input`. If nothing is read and nothing written, it wants more of either.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Gzip(gzip) => {
                let (read, written) = (gzip.total_in(), gzip.total_out());
                let status = gzip.decompress(input, output, FlushDecompress::None);
                Step {
                    // Neither is more than there was of it in memory.
                    read: (gzip.total_in() - read) as usize,
                    written: (gzip.total_out() - written) as usize,
                    ended: status.map(|s| s == Status::StreamEnd).map_err(io::Error::from),
                }
            }
            Self::Zstd(zstd) => {
                let mut read = InBuffer::around(input);
                let mut written = OutBuffer::around(output);
                let hint = zstd.run(&mut read, &mut written);
                let (read, written) = (read.pos(), written.pos());
                Step { read, written, ended: hint.map(|hint| hint == 0) }
            }
        }
    }
}
