//! Any bytes as records of JSON: with all instructions that the machine has, by program, by walk and plainly, in pieces
//! and whole, the engine makes the same of them, and what the reference says.
//!
//! The first byte chooses the program, the second how the bytes are cut; the object is what follows.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use weir_tests::case::{Crew, Subject};
use weir_tests::chunk::Cut;
use weir_tests::readers;

thread_local! {
    static CREWS: RefCell<Vec<Crew<'static>>> = RefCell::new(crews());
}

fn crews() -> Vec<Crew<'static>> {
    let programs = readers::json().into_iter();
    programs.map(|(name, text)| Crew::new(Box::leak(Box::new(Subject::new(name, &text))))).collect()
}

fuzz_target!(|data: &[u8]| {
    let [choice, cut, object @ ..] = data else { return };
    CREWS.with_borrow_mut(|crews| {
        let count = crews.len();
        let crew = &mut crews[usize::from(*choice) % count];
        crew.agree_with_reference(object, &[Cut::Every(1 + usize::from(*cut))]);
    });
});
