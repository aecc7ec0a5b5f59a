//! How bytes are compressed, and what decodes them.
//!
//! All of it is decoded by `async-compression`. Where one member or frame follows the other, as a
//! reader over the stored bytes that waits for more of them; where several are decoded at a time, on
//! threads that may block, by the same codecs without the reader.

use async_compression::codecs::{DecodeV2, GzipDecoder, ZstdDecoder};
use async_compression::tokio::bufread;
use async_compression::zstd::DParameter;
use tokio::io::AsyncRead;

use super::raw::RawReader;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    /// With the largest window that a frame may ask for, as base-2 logarithm.
    Zstd {
        window_log_max: u32,
    },
}

/// Decodes a member or frame, and, after `reinit`, another one, from the bytes that happen to be there
/// to the space that happens to be left. It checks all that a member says of itself.
pub(super) type Decoder = Box<dyn DecodeV2 + Send + Sync>;

/// What is in one member or frame.
pub(super) type MemberReader<'r> = Box<dyn AsyncRead + Send + Unpin + 'r>;

impl Codec {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd { .. } => "zstd",
        }
    }

    pub(super) fn decoder(self) -> Decoder {
        match self {
            Self::Gzip => Box::new(GzipDecoder::new()),
            Self::Zstd { window_log_max } => Box::new(zstd(window_log_max)),
        }
    }

    /// Reads the member or frame that begins where `raw` stands, and leaves `raw` behind its last byte.
    pub(super) fn reader(self, raw: &mut RawReader) -> MemberReader<'_> {
        match self {
            Self::Gzip => Box::new(bufread::GzipDecoder::new(raw)),
            Self::Zstd { window_log_max } => {
                Box::new(bufread::ZstdDecoder::with_codec(raw, zstd(window_log_max)))
            }
        }
    }
}

fn zstd(window_log_max: u32) -> ZstdDecoder {
    ZstdDecoder::new_with_params(&[DParameter::window_log_max(window_log_max)])
}
