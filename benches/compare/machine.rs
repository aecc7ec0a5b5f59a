//! What it was measured on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// Steps of the loop whose speed is the clock's.
const STEPS: u64 = 20_000_000;
/// Cycles that a step takes on every processor of the last decades: two operations, each on the result of the other.
const CYCLES_A_STEP: f64 = 2.0;
/// The most cores that are looked for.
const CORES_MAX: usize = 1024;

/// The top of the checkout.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where everything is put that is made.
pub(crate) fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| checkout().join("target"), PathBuf::from).join("compare")
}

/// The cores that this process may use.
pub(crate) fn cores() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
    (0..CORES_MAX.min(CpuSet::MAX_CPU)).filter(|&core| set.is_set(core)).collect()
}

/// Binds this process, and those that it starts from now on, to some cores.
pub(crate) fn pin(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    Ok(sched_setaffinity(None, &set)?)
}

/// Processor time of this process so far, all threads.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanoseconds)
}

/// The clock of the core in Hz, by how long dependent operations take. Whatever disturbs makes it too low.
pub(crate) fn clock_hz(seed: u64) -> f64 {
    let start = cpu_time();
    let mut value = std::hint::black_box(seed);
    for _ in 0..STEPS {
        value = value.rotate_left(1).wrapping_add(0x9e37_79b9);
    }
    std::hint::black_box(value);
    STEPS as f64 * CYCLES_A_STEP / (cpu_time() - start).as_secs_f64()
}

/// The most memory that this process has ever had, in bytes.
pub(crate) fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kibibytes = line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

/// The name of the processor.
pub(crate) fn processor() -> String {
    let facts = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let fact = |name: &str| {
        let mut lines = facts.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    let name = fact("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    match (fact("cpu family"), fact("model")) {
        // A virtual machine may hide the name, but not these.
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name,
    }
}

/// What was measured, as git calls it.
#[derive(Debug)]
pub(crate) struct Commit {
    /// With a `+` if files have been changed.
    pub(crate) name: String,
    /// Why nobody could measure the same again.
    pub(crate) doubt: Option<&'static str>,
}

/// The commit that this program was built from.
pub(crate) fn commit() -> Commit {
    let unknown = |doubt| Commit { name: "unknown".to_owned(), doubt: Some(doubt) };
    if !is_newer_than_sources().unwrap_or(false) {
        return unknown("this program is not what its sources make: build it again");
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(checkout()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let (Some(name), Some(changed)) = (git(&["rev-parse", "--short=12", "HEAD"]), changed) else {
        return unknown("there is no git to ask for the commit");
    };
    match changed.is_empty() {
        true => Commit { name, doubt: None },
        false => Commit { name: format!("{name}+"), doubt: Some("files have been changed") },
    }
}

/// Whether no source has been written since this program was; cargo lists them beside it.
fn is_newer_than_sources() -> io::Result<bool> {
    let program = std::env::current_exe()?;
    let built = fs::metadata(&program)?.modified()?;
    let list = fs::read_to_string(program.with_extension("d"))?;
    // `PROGRAM: SOURCE SOURCE ...`, with a backslash before each blank of a name.
    let list = list.trim_end().replace("\\ ", "\0");
    for source in list.split(' ').skip(1) {
        if fs::metadata(source.replace('\0', " "))?.modified()? > built {
            return Ok(false);
        }
    }
    Ok(true)
}
