//! Any bytes as a compressed file: one decoder and several give the same bytes, the same places to go on from and the same
//! error; what is sound is what other decoders make of it; and nothing comes out that is more than allowed.
//!
//! The first byte says what the file is taken for.

#![no_main]

use std::cell::RefCell;
use std::io::Read;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use weir_server::source::{Compression, Format, Input, SourceOptions, Sources};

/// More than this is refused, so that no input takes long.
const BYTES_MAX: u64 = 1 << 20;
/// A chunk may begin below the limit and end above it.
const CHUNK_BYTES_MAX: usize = 256 << 10;

thread_local! {
    static PLACE: RefCell<(Runtime, PathBuf)> = RefCell::new({
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        (runtime, std::env::temp_dir().join(format!("weir-fuzz-{}", std::process::id())))
    });
}

/// What comes out of a file.
#[derive(Debug, PartialEq)]
struct Outcome {
    bytes: Vec<u8>,
    error: Option<String>,
    garbage: Option<u64>,
}

async fn read(path: &str, compression: Compression, decoders: usize) -> (Outcome, Option<Format>) {
    let sources = Sources::new(SourceOptions {
        compression,
        decoders,
        decompressed_bytes_max: BYTES_MAX,
        ..SourceOptions::default()
    });
    let input = Input::parse(path).expect("it is a path");
    let mut objects = sources.objects(&input);
    let object = objects.next().await.expect("the file is there").expect("it is one");
    let mut outcome = Outcome { bytes: Vec::new(), error: None, garbage: None };
    let mut reader = match sources.open(&object, None).await {
        Ok(reader) => reader,
        Err(error) => return (Outcome { error: Some(error.to_string()), ..outcome }, None),
    };
    loop {
        match reader.next().await {
            Ok(Some(chunk)) => outcome.bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                outcome.error = Some(error.to_string());
                break;
            }
        }
    }
    outcome.garbage = reader.garbage_offset();
    (outcome, Some(reader.format()))
}

/// What another decoder makes of it, as far as it comes, and whether that is all and sound. (What follows the last member,
/// and bits that mean nothing, are no error to every decoder.)
fn plainly(format: Format, packed: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let limit = BYTES_MAX + CHUNK_BYTES_MAX as u64;
    let read = match format {
        Format::Plain => packed.take(limit).read_to_end(&mut bytes),
        Format::Gzip => flate2::read::MultiGzDecoder::new(packed).take(limit).read_to_end(&mut bytes),
        Format::Zstd => match zstd::Decoder::new(packed) {
            Ok(decoder) => decoder.take(limit).read_to_end(&mut bytes),
            Err(error) => Err(error),
        },
    };
    let is_sound = read.is_ok() && bytes.len() <= BYTES_MAX as usize;
    (bytes, is_sound)
}

fuzz_target!(|data: &[u8]| {
    let [choice, packed @ ..] = data else { return };
    let taken_for =
        [Compression::Auto, Compression::Gzip, Compression::Zstd, Compression::None][usize::from(choice % 4)];
    PLACE.with_borrow(|(runtime, path)| {
        std::fs::write(path, packed).expect("the file can be written");
        let path = path.to_str().expect("it is text");
        let (one, format) = runtime.block_on(read(path, taken_for, 1));
        let (several, _) = runtime.block_on(read(path, taken_for, 4));
        assert_eq!(one, several);
        let Some(format) = format else { return };
        if format != Format::Plain {
            assert!(one.bytes.len() <= BYTES_MAX as usize + CHUNK_BYTES_MAX, "{}", one.bytes.len());
        }
        let (plain, is_sound) = plainly(format, packed);
        let same = one.bytes.len().min(plain.len());
        assert!(one.bytes[..same] == plain[..same], "other bytes");
        if is_sound {
            assert_eq!((one.error, one.bytes.len()), (None, plain.len()));
        }
    });
});
