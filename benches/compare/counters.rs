//! Cycles and instructions of another process, where the machine counts them for us.

use std::process::Child;

use perf_event::events::Hardware;
use perf_event::{Builder, Counter};

/// Counters of a process and of all threads that it starts after they were made.
#[derive(Debug)]
pub(crate) struct Counters {
    cycles: Counter,
    instructions: Counter,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    pub(crate) cycles: u64,
    pub(crate) instructions: u64,
}

impl Counters {
    /// None where the machine has no counters, as most virtual ones have not, or keeps them to itself.
    pub(crate) fn of(child: &Child) -> Option<Self> {
        let process = i32::try_from(child.id()).ok()?;
        let counter = |event| {
            let mut counter =
                Builder::new(event).observe_pid(process).any_cpu().inherit(true).build().ok()?;
            counter.enable().ok()?;
            Some(counter)
        };
        let cycles = counter(Hardware::CPU_CYCLES)?;
        Some(Self { cycles, instructions: counter(Hardware::INSTRUCTIONS)? })
    }

    /// So far.
    pub(crate) fn read(&mut self) -> Option<Counted> {
        let (cycles, instructions) = (self.cycles.read().ok()?, self.instructions.read().ok()?);
        Some(Counted { cycles, instructions })
    }
}
