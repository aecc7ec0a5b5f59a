//! Any bytes as rows: as the target `json`, for CSV.
//!
//! The first byte chooses the settings, the second how the bytes are cut; the object is what follows.

#![no_main]

use std::cell::RefCell;
use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use weir_tests::case::{Crew, Subject};
use weir_tests::chunk::Cut;
use weir_tests::readers;

thread_local! {
    static CREWS: RefCell<HashMap<u16, Crew<'static>>> = RefCell::default();
}

fn crew(choice: u16) -> Crew<'static> {
    Crew::new(Box::leak(Box::new(Subject::new("csv", &readers::csv(choice)))))
}

fuzz_target!(|data: &[u8]| {
    let [choice, cut, object @ ..] = data else { return };
    // Neighbouring bytes choose settings that differ in many ways.
    let choice = u16::from(*choice) * 37 % readers::CSV_CHOICES;
    CREWS.with_borrow_mut(|crews| {
        let crew = crews.entry(choice).or_insert_with(|| crew(choice));
        crew.agree_with_reference(object, &[Cut::Every(1 + usize::from(*cut))]);
    });
});
