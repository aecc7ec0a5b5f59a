//! Sources: from an argument to a stream of decompressed chunks, never buffered whole.
//!
//! ```text
//! argument ─parse─▶ Input ─objects─▶ Object ─open─▶ Reader ─next─▶ chunk
//! dir/, -, s3://…         page by page, in order    raw bytes ▶ decompressed
//! ```
//!
//! A [`Reader`] stands at the end of at most two queues: stored bytes (a reading thread, or ranged
//! GETs ahead of time), and decompressed chunks. Both are bounded, so the memory of a reader is
//! bounded whatever the size of the object: about 24 MiB for S3, 2 MiB otherwise, and the decoder's
//! window. Several decoders of small members have 16 MiB for what waits, and as much for windows.
//!
//! Whether an object is compressed is seen from its first bytes, because names and headers lie.
//!
//! Reading can begin at any *decompressed* offset ([`Resume`]). A plain object is read from there.
//! A compressed one must be decompressed from a place where a gzip member or a zstd frame begins:
//! from the [`Boundary`] that an earlier reader passed ([`Reader::boundary`]), else from its start.
//!
//! ```
//! use weir_server::source::{Input, SourceError, Sources};
//!
//! /// Counts the lines of a file, of a directory, or of all objects below a prefix.
//! async fn count_lines(argument: &str) -> Result<usize, SourceError> {
//!     let sources = Sources::default();
//!     let mut objects = sources.objects(&Input::parse(argument)?);
//!     let mut count = 0;
//!     while let Some(object) = objects.next().await? {
//!         let mut reader = sources.open(&object, None).await?;
//!         while let Some(chunk) = reader.next().await? {
//!             count += chunk.iter().filter(|&&byte| byte == b'\n').count();
//!         }
//!     }
//!     Ok(count)
//! }
//! ```

mod buffers;
mod codec;
mod decompress;
mod error;
mod file;
mod ranges;
mod raw;
mod s3;
mod stdin;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes};
use tokio::sync::OnceCell;

use self::buffers::Buffers;
use self::decompress::{Decoding, Limits, MAGIC_BYTES};
use self::ranges::Ranges;
use self::raw::{Raw, RawReader};

pub use self::decompress::Format;
pub use self::error::SourceError;
pub use self::s3::{AccessKey, AssumedRole, S3Options};

/// What an argument names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// `-`: standard input.
    Stdin,
    /// A file, a named pipe, or a directory: its files by name, not those below them.
    Path(PathBuf),
    /// `s3://BUCKET/KEY`: one object.
    S3Object {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// `s3://BUCKET/PREFIX/` or `s3://BUCKET`: all objects below, in the order in which the store
    /// lists them. Empty objects whose key ends with `/` stand for folders and are left out.
    S3Prefix {
        /// The bucket.
        bucket: String,
        /// Empty, or ends with `/`.
        prefix: String,
    },
}

impl Input {
    /// Reads an argument of the command line.
    ///
    /// # Errors
    ///
    /// A local path that does not exist, a URL without a bucket or of another kind than S3.
    pub fn parse(argument: &str) -> Result<Self, SourceError> {
        if argument == stdin::KEY {
            return Ok(Self::Stdin);
        }
        if let Some((bucket, key)) = s3::split(argument)? {
            return Ok(if key.is_empty() || key.ends_with('/') {
                Self::S3Prefix { bucket, prefix: key }
            } else {
                Self::S3Object { bucket, key }
            });
        }
        file::find(argument).map(Self::Path)
    }
}

/// Something that can be read: where it is, and which version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What is stored as its name: `s3://bucket/key`, an absolute path, or `-`.
    pub key: String,
    /// Which version: the S3 ETag without its quotes, or `size-mtime_ns` of a file. Pipes and
    /// standard input get one that never comes again.
    pub etag: String,
    /// Stored (compressed) bytes, if known.
    pub size: Option<u64>,
    /// When it was last written, in ns since 1970.
    pub last_modified: Option<i64>,
}

/// A place in a compressed object at which a reader can begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Boundary {
    /// Stored offset of the first byte of a gzip member or zstd frame.
    pub compressed: u64,
    /// Offset of the first byte that it decompresses to.
    pub decompressed: u64,
}

/// Where to go on in an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// Decompressed offset of the first byte wanted.
    pub offset: u64,
    /// What [`Reader::boundary`] said for that offset. A boundary behind it is not used.
    pub member: Option<Boundary>,
}

/// How the stored bytes are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// By the first bytes: gzip `1f 8b`, zstd `28 b5 2f fd` or a skippable frame, else plain.
    #[default]
    Auto,
    /// As they are.
    None,
    /// As gzip.
    Gzip,
    /// As zstd.
    Zstd,
}

/// Limits and settings of all sources.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// How the stored bytes are to be read.
    pub compression: Compression,
    /// The most that one compressed object may decompress to. 1 TiB by default.
    pub decompressed_bytes_max: u64,
    /// How many bytes a stored byte may decompress to, once there are more than
    /// `ratio_free_bytes`. 1,000 by default: gzip cannot do more than 1,032, and does so only for
    /// one byte repeated; the dullest of logs (one line, of which only time and number change)
    /// stays below 100.
    pub ratio_max: u64,
    /// So much may come out at any ratio: small files of a few repeated lines are no attack.
    /// 64 MiB by default.
    pub ratio_free_bytes: u64,
    /// The base-2 logarithm of the largest window that a zstd frame may ask for, 10 to 31: that
    /// much memory is needed to decode it. 25 (32 MiB) by default, which is what levels up to 20
    /// use; levels 21 and 22 and `--long` may want 26, 27 or more.
    pub zstd_window_log_max: u32,
    /// How many members (gzip) or frames (zstd) of an object may be decoded at a time, if they are
    /// small. 1 by default.
    pub decoders: usize,
    /// How to reach S3.
    pub s3: S3Options,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            compression: Compression::Auto,
            decompressed_bytes_max: 1 << 40,
            ratio_max: 1000,
            ratio_free_bytes: 64 << 20,
            zstd_window_log_max: 25,
            decoders: 1,
            s3: S3Options::default(),
        }
    }
}

/// Finds and opens objects. S3 is asked for its configuration when it is first needed.
#[derive(Debug, Default)]
pub struct Sources {
    options: SourceOptions,
    buffers: Buffers,
    s3: OnceCell<s3::Store>,
}

impl Sources {
    /// Sources with these settings.
    pub fn new(options: SourceOptions) -> Self {
        Self { options, buffers: Buffers::default(), s3: OnceCell::new() }
    }

    /// The objects of an input, to be asked for one by one.
    pub fn objects(&self, input: &Input) -> Objects<'_> {
        Objects { sources: self, ready: VecDeque::new(), rest: Some(Rest::Input(input.clone())) }
    }

    /// The objects of a bucket whose keys begin with `prefix`, page by page; only those behind
    /// `start_after`, as far as the store means the same by "behind": see [`Listing::is_ordered`].
    ///
    /// Unlike that of [`Input::S3Prefix`], a prefix may end anywhere.
    pub fn list(&self, bucket: &str, prefix: &str, start_after: Option<&str>) -> Listing<'_> {
        let start_after = start_after.filter(|key| !key.is_empty()).map(ToOwned::to_owned);
        let greatest = start_after.as_ref().map_or_else(String::new, |key| s3::url(bucket, key));
        let pages = s3::Pages::new(bucket.to_owned(), prefix.to_owned(), start_after);
        Listing { sources: self, pages, greatest, is_ordered: true }
    }

    /// Opens an object, at its beginning or where an earlier reader was.
    ///
    /// # Errors
    ///
    /// The object is not there, may not be read, or is another version than the one listed. That
    /// `resume` lies behind its end may show only when it is read.
    pub async fn open(
        &self,
        object: &Object,
        resume: Option<Resume>,
    ) -> Result<Reader, SourceError> {
        let resume = resume.unwrap_or_default();
        let place = self.place(object).await?;
        let Start { at, format } = self.start(&place, object, resume).await?;
        // What comes slowly must not wait until there is enough of it for several decoders.
        let decoders = place.size().map_or(1, |_| self.options.decoders);
        let raw = place.read_from(object, at.compressed, &self.buffers)?;
        let mut raw = RawReader::new(raw, at.compressed);
        let first = raw.peek(MAGIC_BYTES).await?;
        // Nothing decompresses to nothing, whatever it should have been.
        let format = match format {
            _ if first.is_empty() && at.compressed == 0 => Format::Plain,
            Some(format) => format,
            None => Format::detect(first),
        };
        Ok(self.reader(object, raw, format, at, resume.offset, decoders))
    }

    fn reader(
        &self,
        object: &Object,
        raw: RawReader,
        format: Format,
        at: Boundary,
        offset: u64,
        decoders: usize,
    ) -> Reader {
        let key = object.key.clone();
        let mut boundaries = Boundaries::default();
        let (stream, skip) = match format.codec(&self.options) {
            None => (Stream::Plain(raw), offset - at.decompressed),
            Some(codec) => {
                boundaries.push(at);
                let ranges = Ranges::new(codec, decoders, self.buffers.clone());
                let output = (offset, self.buffers.buffer());
                let limits = Limits::new(at, &self.options);
                let decoding = Decoding::start(key.clone(), raw, codec, ranges, limits, output);
                (Stream::Decoding(decoding), 0)
            }
        };
        Reader { key, format, stream, skip, offset, boundaries }
    }

    async fn place(&self, object: &Object) -> Result<Place, SourceError> {
        if object.key == stdin::KEY {
            return Ok(Place::Stdin);
        }
        match s3::split(&object.key)? {
            Some((bucket, key)) => {
                Ok(Place::S3(self.s3().await?.object(bucket, key, object).await?))
            }
            None => file::Opened::open(object).map(Place::File),
        }
    }

    async fn s3(&self) -> Result<&s3::Store, SourceError> {
        self.s3.get_or_try_init(|| s3::Store::connect(&self.options.s3)).await
    }

    /// Decides where to begin to read, to get to `resume`.
    async fn start(
        &self,
        place: &Place,
        object: &Object,
        resume: Resume,
    ) -> Result<Start, SourceError> {
        let format = match self.options.compression {
            Compression::Auto => None,
            Compression::None => Some(Format::Plain),
            Compression::Gzip => Some(Format::Gzip),
            Compression::Zstd => Some(Format::Zstd),
        };
        // What cannot be read from its middle is read from its beginning.
        let Some(size) = place.size().filter(|_| resume.offset > 0) else {
            return Ok(Start { at: Boundary::default(), format });
        };
        let format = match format {
            Some(format) => format,
            None => {
                let count = size.min(MAGIC_BYTES as u64);
                Format::detect(&place.first_bytes(object, count).await?)
            }
        };
        let offset = resume.offset;
        let at = match (format, resume.member) {
            (Format::Plain, _) if offset > size => {
                let object = object.key.clone();
                return Err(SourceError::PastEnd { object, offset, end: size });
            }
            (Format::Plain, _) => Boundary { compressed: offset, decompressed: offset },
            (_, Some(member)) if member.decompressed <= offset => member,
            _ => Boundary::default(),
        };
        Ok(Start { at, format: Some(format) })
    }
}

/// Where reading begins, and how, if that is known already.
struct Start {
    at: Boundary,
    format: Option<Format>,
}

/// An object that has been found.
enum Place {
    Stdin,
    File(file::Opened),
    S3(s3::Located),
}

impl Place {
    /// The stored bytes, of what can be read from any offset.
    fn size(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::File(file) => file.size(),
            Self::S3(located) => Some(located.size()),
        }
    }

    async fn first_bytes(&self, object: &Object, count: u64) -> Result<Bytes, SourceError> {
        match self {
            Self::Stdin => Ok(Bytes::new()),
            Self::File(file) => file.first_bytes(object, count),
            Self::S3(located) => {
                let mut raw = RawReader::new(Raw::Parts(located.parts(0, count)), 0);
                let count = usize::try_from(count).unwrap_or(MAGIC_BYTES);
                raw.peek(count).await.map(Bytes::copy_from_slice)
            }
        }
    }

    fn read_from(
        self,
        object: &Object,
        offset: u64,
        buffers: &Buffers,
    ) -> Result<Raw, SourceError> {
        match self {
            Self::Stdin => stdin::read(buffers),
            Self::File(file) => file.read_from(object, offset, buffers),
            Self::S3(located) => Ok(Raw::Parts(located.parts(offset, located.size()))),
        }
    }
}

/// The objects of an [`Input`], found as they are asked for: the listing of a bucket is read page
/// by page.
pub struct Objects<'a> {
    sources: &'a Sources,
    ready: VecDeque<Object>,
    rest: Option<Rest>,
}

/// What of a listing has not been read.
enum Rest {
    Input(Input),
    Pages(s3::Pages),
}

impl Objects<'_> {
    /// The next object, or `None` when there are no more.
    ///
    /// # Errors
    ///
    /// The input is not there, or may not be read or listed.
    pub async fn next(&mut self) -> Result<Option<Object>, SourceError> {
        loop {
            if let Some(object) = self.ready.pop_front() {
                return Ok(Some(object));
            }
            match self.rest.take() {
                None => return Ok(None),
                Some(Rest::Input(input)) => self.begin(input).await?,
                Some(Rest::Pages(mut pages)) => {
                    self.ready = self.sources.s3().await?.page(&mut pages).await?.into();
                    self.rest = pages.has_more().then_some(Rest::Pages(pages));
                }
            }
        }
    }

    async fn begin(&mut self, input: Input) -> Result<(), SourceError> {
        match input {
            Input::Stdin => self.ready.push_back(stdin::object()),
            Input::Path(path) => self.ready = file::list(&path)?.into(),
            Input::S3Object { bucket, key } => {
                let found = self.sources.s3().await?.head(&bucket, &key).await?;
                self.ready.push_back(found);
            }
            Input::S3Prefix { bucket, prefix } => {
                self.rest = Some(Rest::Pages(s3::Pages::new(bucket, prefix, None)));
            }
        }
        Ok(())
    }
}

/// The listing of a bucket, read page by page: no more than a page of it is in memory.
pub struct Listing<'a> {
    sources: &'a Sources,
    pages: s3::Pages,
    /// The last key of what was read, as long as they ascend.
    greatest: String,
    is_ordered: bool,
}

impl Listing<'_> {
    /// The next page, which may be empty, or `None` behind the last.
    ///
    /// # Errors
    ///
    /// The bucket is not there or may not be listed, or the store does not answer. The same page can
    /// be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Object>>, SourceError> {
        if !self.pages.has_more() {
            return Ok(None);
        }
        let page = self.sources.s3().await?.page(&mut self.pages).await?;
        for object in &page {
            self.is_ordered &= self.greatest < object.key;
            object.key.clone_into(&mut self.greatest);
        }
        Ok(Some(page))
    }

    /// Whether all keys so far ascended as UTF-8 bytes, from `start_after` on. A store whose keys do
    /// not means something else by "behind", and may leave out keys that are.
    pub fn is_ordered(&self) -> bool {
        self.is_ordered
    }
}

/// Reads the decompressed bytes of one object.
pub struct Reader {
    key: String,
    format: Format,
    stream: Stream,
    /// Bytes to leave out of what the stream gives.
    skip: u64,
    offset: u64,
    boundaries: Boundaries,
}

enum Stream {
    Plain(RawReader),
    Decoding(Decoding),
}

impl Reader {
    /// The next chunk, or `None` at the end.
    ///
    /// A chunk has 1 byte to 256 KiB; only a slow source and the end of something give less than
    /// 64 KiB. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The object cannot be read on. All bytes before have been handed out.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        loop {
            let chunk = match &mut self.stream {
                Stream::Plain(raw) => raw.next().await?,
                Stream::Decoding(decoding) => decoding.next().await.transpose()?.map(|decoded| {
                    let (chunk, boundary) = decoded;
                    boundary.into_iter().for_each(|boundary| self.boundaries.push(boundary));
                    chunk
                }),
            };
            let Some(mut chunk) = chunk else { return self.end() };
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
            chunk.advance(skipped);
            self.skip -= skipped as u64;
            if !chunk.is_empty() {
                self.offset += chunk.len() as u64;
                return Ok(Some(chunk));
            }
        }
    }

    fn end(&self) -> Result<Option<Bytes>, SourceError> {
        if self.skip == 0 {
            return Ok(None);
        }
        let (object, offset) = (self.key.clone(), self.offset);
        Err(SourceError::PastEnd { object, offset, end: offset - self.skip })
    }

    /// The decompressed offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Stored bytes read so far, counted from the beginning of the object: for a progress bar, with
    /// [`Object::size`].
    pub fn bytes_read(&self) -> u64 {
        match &self.stream {
            Stream::Plain(raw) => raw.position(),
            Stream::Decoding(decoding) => decoding.position(),
        }
    }

    /// What the stored bytes are.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The last place at or before the decompressed `offset` at which another reader can begin.
    ///
    /// Ask with the offset up to which everything is safely stored; asking for one forgets the
    /// places before it, so the offsets of later questions must not fall. `None` means the
    /// beginning of the object, or that it needs no such place.
    pub fn boundary(&mut self, offset: u64) -> Option<Boundary> {
        self.boundaries.at_or_before(offset)
    }

    /// Where bytes after the last gzip member begin that are neither padding nor another member.
    /// They were ignored, as gzip(1) does; tell the user, as it does. Known at the end.
    pub fn garbage_offset(&self) -> Option<u64> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Decoding(decoding) => decoding.progress().garbage(),
        }
    }
}

/// Boundaries passed, oldest first: few enough to keep, near enough to be worth it.
#[derive(Default)]
struct Boundaries(VecDeque<Boundary>);

impl Boundaries {
    /// Decompressed bytes between two that are kept.
    const STRIDE_BYTES: u64 = 1 << 20;
    const COUNT_MAX: usize = 4096;

    fn push(&mut self, boundary: Boundary) {
        let near = |last: &Boundary| boundary.decompressed - last.decompressed < Self::STRIDE_BYTES;
        if self.0.back().is_some_and(near) {
            return;
        }
        self.0.push_back(boundary);
        if self.0.len() > Self::COUNT_MAX {
            let mut keep = false;
            self.0.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    fn at_or_before(&mut self, offset: u64) -> Option<Boundary> {
        while self.0.get(1).is_some_and(|second| second.decompressed <= offset) {
            self.0.pop_front();
        }
        self.0.front().copied().filter(|b| b.decompressed <= offset && b.compressed > 0)
    }
}

/// An ETag for what can be read only once.
fn stream_etag() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("stream-{}-{}", process::id(), since.as_nanos())
}
