//! The answer to a request, as it lies beside the request in `done/` and `failed/`.

use nevra::Sha256;
use serde::{Deserialize, Serialize};

use crate::plan::GateSeen;
use crate::recipe::{HostsRun, NodeType};

/// Tells a requester what became of a request.
///
/// Written as JSON. Unknown fields are ignored when it is read, so that an older program reads the answers
/// of a newer one of the same `format`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The version of this form, [`Answer::FORMAT`].
    pub format: u32,
    /// The claim name: names request and answer everywhere.
    pub claim: String,
    /// The id: from the request, or else the claim name.
    pub id: String,
    /// Who asked, `user:alice` or `clock`.
    pub owner: String,
    /// The digest of the request's bytes.
    pub request_digest: Sha256,
    /// The action, such as `promote`; `unknown` if the request could not be read so far.
    pub action: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The stable code, a [`crate::Code`].
    pub code: String,
    /// The exit code for the command line.
    pub exit: u8,
    /// One plain sentence.
    pub sentence: String,
    /// Particulars, one a line.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What to do instead, or next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The generation that holds the effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// What entered and left, by repository.
    #[serde(default)]
    pub moved: Vec<Moved>,
    /// What each gate saw.
    #[serde(default)]
    pub gates: Vec<GateSeen>,
    /// The command that brings hosts of the stage in step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts_run: Option<String>,
    /// What becomes of node types that are built anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_types: Vec<NodeType>,
    /// What hosts have to run, where more is to be said than `hosts_run` does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostsRun>,
    /// The hash of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_hash: Option<String>,
    /// The plan as text, for a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// Says what became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It has an effect, in the generation named.
    Done,
    /// It was already as wished.
    NothingToDo,
    /// It was refused and changed nothing.
    Refused,
    /// It was a dry run.
    Planned,
}

/// Lists what entered and left one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The name of the repository.
    pub repository: String,
    /// The NEVRAs that entered, sorted.
    #[serde(default)]
    pub entered: Vec<String>,
    /// The NEVRAs that left, sorted.
    #[serde(default)]
    pub left: Vec<String>,
}

impl Answer {
    /// The version of the form that this program writes.
    pub const FORMAT: u32 = 1;

    /// Writes the answer as indented JSON with a newline at its end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("an answer holds nothing JSON cannot say");
        bytes.push(b'\n');
        bytes
    }

    /// Reads an answer; errors name line and column.
    pub fn from_json(bytes: &[u8]) -> Result<Answer, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Verdict;

    #[test]
    fn an_answer_survives_json_and_fields_of_later_programs() {
        let answer = Answer {
            format: Answer::FORMAT,
            claim: "update-57-20260301T120000Z-3fa9c1".into(),
            id: "update-57".into(),
            owner: "user:alice".into(),
            request_digest: "5e".repeat(32).parse().unwrap(),
            action: "promote".into(),
            outcome: Outcome::NothingToDo,
            code: crate::Code::AlreadyThere.as_str().into(),
            exit: 0,
            sentence: "everything asked for is in `production` already".into(),
            reasons: vec!["\"quoted\"\n".into()],
            hint: None,
            generation: Some(u64::MAX),
            moved: vec![Moved { repository: "r".into(), entered: vec!["a-1-1.noarch".into()], left: vec![] }],
            gates: vec![GateSeen { gate: "roles".into(), verdict: Verdict::Waived, evidence: "é".into() }],
            hosts_run: Some("dnf upgrade".into()),
            node_types: vec![],
            hosts: vec![],
            plan_hash: None,
            plan: Some("two\nlines\n".into()),
        };
        let bytes = answer.to_json();
        assert_eq!(Answer::from_json(&bytes).unwrap(), answer);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("\"outcome\": \"nothing-to-do\"") && text.contains("\"verdict\": \"waived\""));
        let later = text.replacen('{', "{\"later\": [1],", 1);
        assert_eq!(Answer::from_json(later.as_bytes()).unwrap(), answer);
        assert!(Answer::from_json(&text.as_bytes()[..text.len() / 2]).is_err());
    }
}
