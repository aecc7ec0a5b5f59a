//! The tests that need Python: its packages, and the independent validator of events.
//!
//! Packages come from the registry into a virtual environment under `target/`, once for each state of the file that lists
//! them. Tests run in many threads and processes, so the first holds a lock file while it installs and the others wait;
//! a mark inside the environment says that it is complete, so an interrupted installation is made again.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

/// How to get what `python3 -m venv` needs.
const INSTALL_PYTHON: &str = "apt-get install python3 python3-venv";

/// The folder of this crate.
const TESTS: &str = env!("CARGO_MANIFEST_DIR");

/// The Python that has the packages of `tests/requirements.txt`.
///
/// # Panics
///
/// If it cannot be made, with the line that installs what is missing.
pub fn venv() -> PathBuf {
    venv_of(&Path::new(TESTS).join("requirements.txt"))
}

/// The Python that has the packages which a requirements file lists.
///
/// # Panics
///
/// If it cannot be made, with the line that installs what is missing.
pub fn venv_of(requirements: &Path) -> PathBuf {
    let text = fs::read(requirements)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", requirements.display()));
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let folder = target().join(format!("venv-{:016x}", hasher.finish()));
    let python = folder.join("bin/python");
    let complete = folder.join("complete");
    if complete.exists() {
        return python;
    }

    fs::create_dir_all(target()).expect("the folder of the build can be written");
    let lock = File::create(folder.with_extension("lock")).expect("a lock file can be made");
    // Named in full: the standard library has been getting methods of such names. Closing the file unlocks it.
    fs4::fs_std::FileExt::lock_exclusive(&lock).expect("the lock file can be locked");
    if !complete.exists() {
        install(requirements, &folder, &python);
        File::create(&complete).expect("the new environment can be written");
    }
    python
}

/// Makes a virtual environment from scratch.
fn install(requirements: &Path, folder: &Path, python: &Path) {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(folder);
    run(&mut venv);
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    run(pip.arg(requirements));
}

fn run(command: &mut Command) {
    let help = format!("some tests need Python and the package registry: {INSTALL_PYTHON}");
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("{command:?} failed\n{}\n{help}", text_of(&output)),
        Err(error) => panic!("{command:?}: {error}\n{help}"),
    }
}

/// The folder that holds everything built.
fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(TESTS).with_file_name("target"),
    }
}

/// Checks events, one to a line, with `tests/python/validate_ocsf.py`.
///
/// # Errors
///
/// What the validator printed, if an event is invalid or there is none.
///
/// # Panics
///
/// If Python is missing, see [`venv`].
pub fn validate_events(version: &str, ndjson: &[u8]) -> Result<(), String> {
    // As a file and not a pipe: nobody has to read and write at the same time.
    let mut events = tempfile::tempfile().expect("temporary files can be made");
    events
        .write_all(ndjson)
        .and_then(|()| events.rewind())
        .expect("temporary files can be written");
    let output = Command::new(venv())
        .arg(Path::new(TESTS).join("python/validate_ocsf.py"))
        .args(["--version", version, "-"])
        .stdin(Stdio::from(events))
        .output()
        .expect("the Python of the environment runs");
    if output.status.success() { Ok(()) } else { Err(text_of(&output)) }
}

/// A running `tests/python/validate_ocsf.py`, for many small questions: it starts once, and keeps what it makes of the
/// schema for a class.
#[derive(Debug)]
pub struct Validator {
    child: Child,
    questions: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Validator {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// If Python is missing, see [`venv`].
    pub fn start() -> Self {
        let mut child = Command::new(venv())
            .arg(Path::new(TESTS).join("python/validate_ocsf.py"))
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Python of the environment runs");
        let questions = child.stdin.take().expect("its standard input is a pipe");
        let answers = child.stdout.take().expect("its standard output is a pipe");
        Self { child, questions: BufWriter::new(questions), answers: BufReader::new(answers) }
    }

    /// What is wrong with each of some events, one to a line; nothing of valid ones.
    ///
    /// # Panics
    ///
    /// If the validator ends.
    pub fn wrong(&mut self, version: &str, ndjson: &[u8]) -> Vec<String> {
        let Self { questions, answers, .. } = self;
        let lines = || ndjson.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        // Asked by another thread, since the validator answers before it has heard all.
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut ask = |line: &[u8]| {
                    questions.write_all(version.as_bytes())?;
                    questions.write_all(b" ")?;
                    questions.write_all(line)?;
                    questions.write_all(b"\n")
                };
                lines()
                    .try_for_each(&mut ask)
                    .and_then(|()| questions.write_all(b"\n"))
                    .and_then(|()| questions.flush())
                    .expect("the validator listens");
            });
            let answer = |_| {
                let mut answer = String::new();
                let size = answers.read_line(&mut answer).expect("the validator writes UTF-8");
                assert!(size > 0, "the validator has ended");
                answer.trim_end().to_owned()
            };
            lines().map(answer).collect()
        })
    }
}

impl Drop for Validator {
    fn drop(&mut self) {
        // Nothing is left to be said, and nobody to say it to.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn text_of(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}
