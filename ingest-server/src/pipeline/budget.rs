//! A budget of bytes in flight.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Bytes that may be in flight at a time. Clones share it.
#[derive(Clone)]
pub(super) struct Budget {
    shared: Arc<Shared>,
    total: usize,
}

struct Shared {
    free: Mutex<usize>,
    freed: Condvar,
}

/// So many bytes are in flight, until this is dropped.
pub(super) struct Permit {
    shared: Arc<Shared>,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(total: usize) -> Self {
        let shared = Shared { free: Mutex::new(total), freed: Condvar::new() };
        Self { shared: Arc::new(shared), total }
    }

    /// Waits until so many bytes may fly. What is larger than the budget flies alone.
    pub(super) fn take(&self, bytes: usize) -> Permit {
        let bytes = bytes.min(self.total);
        // The count is right at every moment, so a panic elsewhere does not spoil it.
        let free = self.shared.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .shared
            .freed
            .wait_while(free, |free| *free < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Permit { shared: Arc::clone(&self.shared), bytes }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.shared.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.shared.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_the_budget_waits_for_all_others_and_flies_alone() {
        let budget = Budget::new(10);
        let small = budget.take(4);
        let (flying, flies) = std::sync::mpsc::channel();
        let waiting = budget.clone();
        let thread = std::thread::spawn(move || {
            let permit = waiting.take(1000);
            flying.send(permit.bytes).unwrap();
        });
        assert!(flies.try_recv().is_err());
        drop(small);
        assert_eq!(flies.recv().unwrap(), 10);
        thread.join().unwrap();
        drop(budget.take(10));
    }
}
