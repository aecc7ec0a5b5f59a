//! Any text as what administrators configure: a bucket is refused with the fields that are wrong, or understood; a schedule
//! is refused, or due at each time that it says comes next.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use weir_server::pull::{S3Polling, Schedule};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(config) = serde_json::from_str(text) {
        match S3Polling::parse(&config) {
            Ok(parsed) => assert!(S3Polling::parse(&config).is_ok_and(|again| again == parsed)),
            Err(fields) => {
                assert!(!fields.is_empty());
                assert!(fields.iter().all(|field| !field.to_string().is_empty()));
            }
        }
    }
    if let Ok(schedule) = Schedule::cron(text) {
        let mut time = Timestamp::constant(1_780_000_000, 0);
        for _ in 0..4 {
            let Some(next) = schedule.next_after(time) else { return };
            assert!(next > time);
            let due = schedule.due(time, next).expect("it is due when it says");
            assert_eq!((due.scheduled_for, due.is_catch_up), (next, false));
            time = next;
        }
    }
});
