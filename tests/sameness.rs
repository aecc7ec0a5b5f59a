//! What comes out does not depend on how the engine goes about it: random records that are hard on whoever looks at many
//! bytes at once, through every program of [`weir_tests::readers`], by all means that the machine has, in pieces, on
//! threads, and through the reference.
//!
//! `WEIR_SEED=N` runs other records, `WEIR_ROUNDS=N` more of them.

use weir_engine::input::Format;
use weir_tests::case::{self, Crew, Subject};
use weir_tests::chunk::{self, Cut};
use weir_tests::generate::Random;
use weir_tests::programs::Generated;
use weir_tests::readers;
use weir_tests::records::{self, Layout, Sizes};

/// Records are indexed together until they have so many bytes.
const STRETCH_BYTES: usize = 64 << 10;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn layout(program: &str) -> Layout {
    match program {
        "documents" => Layout::Documents,
        "wrapped" => Layout::Wrapped,
        "two levels" => Layout::TwoLevels,
        _ => Layout::Lines,
    }
}

/// Runs the programs for JSON over random objects, of which so many records in a hundred are damaged.
#[expect(clippy::print_stdout, reason = "shown if the test fails")]
fn run(damaged: u64, bytes: usize) {
    let (seed, rounds) = (number("WEIR_SEED", 1), number("WEIR_ROUNDS", 2));
    println!("WEIR_SEED={seed} WEIR_ROUNDS={rounds}");
    let mut events = 0;
    for (name, text) in readers::json() {
        let subject = Subject::new(name, &text);
        let mut crew = Crew::new(&subject);
        for (sizes, round) in
            Sizes::ALL.iter().flat_map(|sizes| (0..rounds).map(move |it| (*sizes, it)))
        {
            // Each object follows from what is printed here, if the test fails.
            let own = seed ^ (round << 32) ^ (damaged << 16) ^ sizes as u64;
            println!("{name}, {sizes:?}, {damaged} % damaged, round {round}");
            let object =
                records::object(layout(name), sizes, bytes, damaged, &mut Random::new(own));
            let cuts = [Cut::Random(own), Cut::Every(64), Cut::Every(4095)];
            let mapped = crew.agree_with_reference(&object, &cuts);
            events += mapped.outcome.events.len();
        }
    }
    assert!(events > 100, "{events} events");
}

#[test]
fn intact_records_mean_the_same_by_all_means() {
    run(0, 20 << 10);
}

#[test]
fn records_mean_the_same_if_one_in_a_hundred_is_damaged() {
    run(1, 20 << 10);
}

#[test]
fn records_mean_the_same_if_one_in_ten_is_damaged() {
    run(10, 20 << 10);
}

#[test]
fn records_mean_the_same_if_nearly_all_are_damaged() {
    run(80, 6 << 10);
}

/// Random programs over records of theirs, of which one in ten is damaged.
#[test]
fn random_programs_mean_the_same_over_damaged_records() {
    const PROGRAMS: u64 = 120;
    const RECORDS: usize = 30;
    let (seed, rounds) = (number("WEIR_SEED", 1), number("WEIR_ROUNDS", 1));
    println!("WEIR_SEED={seed} WEIR_ROUNDS={rounds}");
    let (mut events, mut rejects) = (0, 0);
    for seed in seed..seed + rounds * PROGRAMS {
        let generated = Generated::new(seed, RECORDS);
        let Ok(subject) = Subject::compile("generated", &generated.text()) else { continue };
        let mut random = Random::new(seed);
        let mut lines: Vec<Vec<u8>> =
            generated.input().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        // Damage in a document would be its end, so most of them get none.
        for line in &mut lines {
            if random.below(if lines_are_records(&subject) { 10 } else { 300 }) == 0 {
                records::damage(line, &mut random);
            }
        }
        println!("seed {seed}");
        let cuts = [Cut::Random(seed), Cut::Every(64)];
        let mapped = Crew::new(&subject).agree_with_reference(&lines.join(&b'\n'), &cuts);
        events += mapped.outcome.events.len();
        rejects += mapped.outcome.rejects.len();
    }
    assert!(events > 1000 && rejects > 200, "{events} events, {rejects} rejects");
}

fn lines_are_records(subject: &Subject) -> bool {
    !matches!(subject.plan.input.format, Format::Json(_))
}

/// Many stretches in a block.
#[test]
fn long_objects_mean_the_same_by_all_means() {
    let mut random = Random::new(number("WEIR_SEED", 5));
    for (name, text) in readers::json() {
        let subject = Subject::new(name, &text);
        let object = records::object(layout(name), Sizes::Mixed, 5 * STRETCH_BYTES, 1, &mut random);
        println!("{name}");
        Crew::new(&subject).agree_with_reference(&object, &[Cut::Random(7)]);
    }
}

/// The records behind one of about a stretch, at every place around its end.
#[test]
fn a_stretch_ends_anywhere() {
    let (_, text) = &readers::json()[0];
    let subject = Subject::new("flat", text);
    let mut crew = Crew::new(&subject);
    let mut random = Random::new(number("WEIR_SEED", 6));
    for short in 0..70 {
        let filler = "x".repeat(STRETCH_BYTES - 3 * short);
        let mut object = format!("{{\"id\":\"first\",\"v\":\"{filler}\"}}\n").into_bytes();
        let behind = records::object(Layout::Lines, Sizes::Mixed, 500, 5, &mut random);
        object.extend_from_slice(&behind);
        println!("{short}: {}", behind.escape_ascii());
        crew.agree(&object, &[]);
    }
}

#[test]
fn records_of_megabytes_mean_the_same_by_all_means() {
    let limit = "ndjson { max_record 6MiB }";
    let text = readers::json()[0].1.replace("ndjson { }", limit);
    assert!(text.contains(limit));
    let subject = Subject::new("large", &text);
    let mut crew = Crew::new(&subject);
    let large = [
        format!("\"v\":\"{}\"", "long ".repeat(1_000_000)),
        format!("\"v\":\"{}\"", "\\\\".repeat(1_000_000)),
        format!("\"v\":[{}1]", "{\"a\":[]},".repeat(250_000)),
        (0..150_000).map(|n| format!("\"key{n}\":{n},")).collect::<String>() + "\"v\":\"last\"",
        format!("\"v\":1,{}\"kind\":\"a\"", "\"kin\\u0064x\":0,".repeat(150_000)),
    ];
    let mut random = Random::new(number("WEIR_SEED", 7));
    for members in large {
        let mut object = records::object(Layout::Lines, Sizes::Mixed, 300, 0, &mut random);
        object.extend_from_slice(format!("\n{{\"id\":\"large\",{members},\"n\":7}}\n").as_bytes());
        object.extend(records::object(Layout::Lines, Sizes::Mixed, 300, 0, &mut random));
        let mapped = crew.agree_with_reference(&object, &[Cut::Every(100_000)]);
        assert!(mapped.outcome.events.iter().any(|(_, event)| event.id == "large"));
        // And cut off before its end: a record that is refused, between records that are not.
        let cut = object.iter().rposition(|byte| *byte == b'7').expect("it is there");
        object[cut] = b'"';
        crew.agree(&object, &[]);
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let mut random = Random::new(number("WEIR_SEED", 8));
    for (name, text) in readers::json() {
        let subject = Subject::new(name, &text);
        let object = records::object(layout(name), Sizes::Mixed, 3 * STRETCH_BYTES, 2, &mut random);
        let whole = chunk::map(&subject.plan, &subject.meta, &object, Cut::Whole);
        for threads in [1, 2, 4] {
            for cut in [Cut::Every(8 << 10), Cut::Every(511), Cut::Random(9)] {
                let shared =
                    chunk::map_in_threads(&subject.plan, &subject.meta, &object, cut, threads);
                case::same(&(name, threads, cut), &whole, &shared);
            }
        }
    }
}

/// Rows with quotes, delimiters and line ends of all kinds, under all settings.
#[test]
fn rows_mean_the_same_by_all_means() {
    const PIECES: [&str; 24] = [
        "a",
        "b",
        "1",
        "7,5",
        "1.5",
        ",",
        ",",
        ",",
        ";",
        "\t",
        "|",
        "\"",
        "\"",
        "'",
        "\"\"",
        "\n",
        "\n",
        "\r\n",
        "\r",
        " ",
        "#",
        "é",
        "noise",
        "2026-04-10T08:09:10Z",
    ];
    let (seed, rounds) = (number("WEIR_SEED", 9), number("WEIR_ROUNDS", 2));
    println!("WEIR_SEED={seed} WEIR_ROUNDS={rounds}");
    let mut random = Random::new(seed);
    for choice in (0..readers::CSV_CHOICES).step_by(7) {
        let subject = Subject::new("csv", &readers::csv(choice));
        let mut crew = Crew::new(&subject);
        for _ in 0..rounds {
            let mut object = b"id,who,n,a b,t\n".to_vec();
            while object.len() < 700 {
                match random.below(8) {
                    0 => object.extend_from_slice(b"7,a,1.5,\"x\"\"y\",\r\n"),
                    1 => object.extend_from_slice(b"8,'q',\"1\",z\n"),
                    2 => object.extend_from_slice(&b"x".repeat(random.below(130) as usize)),
                    3 => object.push(random.below(256) as u8),
                    _ => object.extend_from_slice(random.pick(&PIECES).as_bytes()),
                }
            }
            println!("{choice}: {}", object.escape_ascii());
            crew.agree_with_reference(&object, &[Cut::Random(random.number()), Cut::Every(64)]);
        }
    }
}
