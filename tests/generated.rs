//! What the generators promise of their inputs is what comes of them, also through the reference.

use std::collections::BTreeMap;
use std::path::Path;

use weir_tests::case::Subject;
use weir_tests::chunk::{self, Cut};
use weir_tests::generate::{Agents, CostRows, Expected, OpenAi};
use weir_tests::outcome::Outcome;

fn subject(example: &str) -> Subject {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(example);
    Subject::new(example, &std::fs::read_to_string(path).expect("the examples can be read"))
}

fn found(outcome: &Outcome) -> Expected {
    let mut events = BTreeMap::new();
    for (_, event) in &outcome.events {
        let class = ["account_change", "api_activity", "authentication"]
            .into_iter()
            .find(|class| *class == event.class)
            .expect("the examples emit no other classes");
        *events.entry(class).or_default() += 1;
    }
    let rejects = outcome.rejects.iter().map(|reject| (reject.index, reject.code)).collect();
    Expected { records: outcome.records, dropped: outcome.dropped, events, rejects }
}

#[test]
fn openai_documents_give_the_promised_events() {
    let generator = OpenAi { records: 400, bad: 60, seed: 3 };
    let mut document = Vec::new();
    let expected = generator.write(&mut document).unwrap();
    let mapped = subject("2_openai.weir").agree_cut(&document, &[Cut::Random(3)]);
    assert_eq!(found(&mapped.outcome), expected);
    let ids = mapped.outcome.events.iter().map(|(_, event)| event.id.clone());
    assert!(ids.eq(generator.ids()), "the ids differ");
    for kind in ["authentication", "account_change", "api_activity"] {
        assert!(expected.events[kind] > 0, "{kind} was not generated");
    }
}

#[test]
fn a_large_openai_document_gives_the_promised_events() {
    let generator = OpenAi { records: 20_000, bad: 200, seed: 9 };
    let mut document = Vec::new();
    let expected = generator.write(&mut document).unwrap();
    let subject = subject("2_openai.weir");
    let mapped = chunk::map(&subject.plan, &subject.meta, &document, Cut::Random(9));
    assert_eq!(found(&mapped.outcome), expected);
    assert!(mapped.outcome.events.iter().map(|(_, event)| event.id.clone()).eq(generator.ids()));
}

#[test]
fn agent_runs_give_the_promised_events() {
    let mut lines = Vec::new();
    let expected = Agents { records: 600, bad: 60, seed: 4 }.write(&mut lines).unwrap();
    let mapped = subject("4_homegrown.weir").agree_cut(&lines, &[Cut::Random(4)]);
    assert_eq!(found(&mapped.outcome), expected);
    assert!(expected.dropped > 0 && expected.events_total() > expected.records);
}

#[test]
fn cost_rows_give_the_promised_events() {
    let mut rows = Vec::new();
    let expected = CostRows { records: 600, bad: 60, seed: 5 }.write(&mut rows).unwrap();
    let mapped = subject("3_csv_eu.weir").agree_cut(&rows, &[Cut::Random(5)]);
    assert_eq!(found(&mapped.outcome), expected);
}
