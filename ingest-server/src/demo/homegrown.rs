//! Runs of agents with the steps they took, NDJSON.

use std::io::Write as _;

use super::people::{Cast, mail};

pub(super) struct Log(Cast);

impl Log {
    pub(super) fn new() -> Self {
        Self(Cast::new(4))
    }
}

const MODELS: [&str; 4] =
    ["claude-opus-4-1-20250805", "claude-sonnet-4-20250514", "gpt-4o", "in-house-7b"];
const TOOLS: [&str; 6] =
    ["fs.read", "fs.write", "http.get", "db.query.orders", "db.insert.notes", "fs.delete"];
const AGENTS: [&str; 4] = ["billing-bot", "support-triage", "release-notes", "data-quality"];

impl super::Log for Log {
    fn record(&mut self, out: &mut Vec<u8>) {
        let cast = &mut self.0;
        let number = cast.next_record();
        let end = cast.clock_ms();
        let (length, failed, ci) = (cast.number(400..90_000), cast.one_in(30), cast.one_in(25));
        let kind = if failed { "run.failed" } else { "run.finished" };
        let error =
            if failed { r#","error":{"message":"the tool \"db.query\" timed out"}"# } else { "" };
        let environment = if ci { r#","env":"ci","dry_run":true"# } else { r#","env":"prod""# };
        let finished = if cast.is_broken() { "null".to_owned() } else { end.to_string() };
        let (model, agent, person, ip) =
            (cast.pick(&MODELS), cast.pick(&AGENTS), cast.person(), cast.ip());
        let (prompt, mail) = (cast.text(8..60), mail(person, "Acme.io"));
        let (tokens_in, tokens_out) = (cast.skewed(200_000), cast.skewed(8_000));
        let begin = end.saturating_sub_unsigned(length);
        // Writing to a Vec cannot fail.
        let _ = write!(
            out,
            r#"{{"run_id":"run-{number:010}","kind":"{kind}"{environment},"session_id":"s-{:06x}","model":"{model}","started_at":{begin},"finished_at":{finished},"user":{{"id":"u{person}","email":"{mail}","phone":"+49 30 90{person:04}"}},"agent":{{"id":"a-{}","name":"{agent}"}},"host":{{"ip":"{ip}","name":"orch-{}"}},"prompt":"{prompt}","usage":{{"input_tokens":{tokens_in},"output_tokens":{tokens_out}}}{error},"steps":["#,
            number / 3,
            agent.len(),
            person % 7,
        );
        for step in 0..cast.number(0..6) {
            let comma = if step > 0 { "," } else { "" };
            let at = begin.saturating_add_unsigned(step * 50);
            let (tool, text) = (cast.pick(&TOOLS), cast.text(3..9));
            let allowed = !(tool == "fs.delete" && cast.one_in(2));
            let _ = match cast.one_in(3) {
                true => write!(out, r#"{comma}{{"type":"thought","text":"{text}"}}"#),
                false => write!(
                    out,
                    r#"{comma}{{"type":"tool_call","tool":"{tool}","allowed":{allowed},"ts":{at},"arguments":{{"path":"/srv/data/{step}.txt","note":"{text}"}}}}"#
                ),
            };
        }
        out.extend_from_slice(b"]}");
    }
}
