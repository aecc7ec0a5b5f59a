//! Any bytes in any format, in any chunks, on any number of threads, and read on behind any block, give what the whole
//! gives.
//!
//! The first byte chooses the program, the second the threads, the third and fourth how the bytes are cut.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use weir_tests::case::{self, Crew, Subject};
use weir_tests::chunk::{self, Cut};
use weir_tests::readers;

thread_local! {
    static CREWS: RefCell<Vec<(&'static Subject, Crew<'static>)>> = RefCell::new(crews());
}

fn crews() -> Vec<(&'static Subject, Crew<'static>)> {
    let csv = [0, 0x0f5, 0x1a2].map(|choice| ("csv", readers::csv(choice)));
    let programs = readers::json().into_iter().chain(csv);
    let start = |(name, text): (_, String)| {
        let subject: &Subject = Box::leak(Box::new(Subject::new(name, &text)));
        (subject, Crew::new(subject))
    };
    programs.map(start).collect()
}

fuzz_target!(|data: &[u8]| {
    let [choice, threads, size, seed, object @ ..] = data else { return };
    let cuts = [Cut::Every(1 + usize::from(*size)), Cut::Random(u64::from(*seed)), Cut::Bytes];
    CREWS.with_borrow_mut(|crews| {
        let count = crews.len();
        let (subject, crew) = &mut crews[usize::from(*choice) % count];
        let whole = crew.agree(object, &cuts);
        let Subject { plan, meta, .. } = *subject;
        let shared =
            chunk::map_in_threads(plan, meta, object, cuts[0], 1 + usize::from(threads % 4));
        case::same_result(&"on threads", &whole, &shared);
        // One place to go on from is enough: the fuzzer comes back.
        if let Some(end) = shared.ends.get(usize::from(*seed) % shared.ends.len().max(1)) {
            let rest = chunk::resume(plan, meta, object, end, cuts[0]).outcome;
            let events = whole.outcome.events.iter().filter(|(of, _)| *of >= end.index);
            let rejects = whole.outcome.rejects.iter().filter(|reject| reject.index >= end.index);
            assert!(events.eq(&rest.events), "events resumed at {end:?} differ");
            assert!(rejects.eq(&rest.rejects), "rejects resumed at {end:?} differ");
        }
    });
});
