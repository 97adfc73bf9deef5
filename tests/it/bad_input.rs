//! Bad input, as one table: whatever is wrong has a code, a message and a hint of its own; nothing is published,
//! nothing is lost, and the daemon goes on. Each row is tried on the real program.
//!
//! Requests and packages go through the control directory of one running daemon ([`requests`], [`packages`]);
//! configurations through `sluice config check`, `init` and `daemon` ([`configurations`], [`ground`]). Metadata that
//! lies when it is adopted is tried where adoption is.

use std::fs;

use camino::Utf8PathBuf;
use serde_json::Value;
use testkit::{Running, Sandbox, Site};

mod configurations;
mod ground;
mod packages;
mod requests;

/// Two stages and who may do what in them.
const STAGES: &str = r#"
[roles]
release-team = ["ME"]
[[product]]
name = "glite-3.2"
preset = "glite"
platforms = ["el9/x86_64"]
"#;

/// One row: what is dropped, and what must be said.
struct Row {
    /// The stem of the request.
    stem: &'static str,
    /// The code.
    code: &'static str,
    /// A piece of the sentence.
    sentence: &'static str,
    /// A piece of the hint.
    hint: &'static str,
}

const fn row(stem: &'static str, code: &'static str, sentence: &'static str, hint: &'static str) -> Row {
    Row { stem, code, sentence, hint }
}

/// A site with a running daemon that has published one package.
struct Trial {
    site: Site,
    daemon: Running,
    before: Utf8PathBuf,
}

impl Trial {
    fn begin(sandbox: &Sandbox, stages: &str) -> Trial {
        let site = Site::initialised(sandbox, "http://127.0.0.1:1", stages);
        let daemon = site.start();
        let before = site.root().join("public/current").read_link_utf8().unwrap();
        Trial { site, daemon, before }
    }

    /// Waits for the answer of every row and looks what it says, and what became of the site.
    #[track_caller]
    fn judge(&self, rows: &[Row]) {
        let mut wrong = Vec::new();
        for row in rows {
            let answer = self.site.answer(row.stem);
            let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
            let reasons = answer["reasons"].to_string();
            let fits = text("code") == row.code
                && (text("sentence").contains(row.sentence) || reasons.contains(row.sentence))
                && !text("hint").is_empty()
                && text("hint").contains(row.hint)
                && text("outcome") == "refused"
                && self.site.answers(row.stem).iter().all(|(folder, _)| folder == "failed");
            if !fits {
                wrong.push(format!("{} is not `{}`: {answer:#}", row.stem, row.code));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let now = self.site.root().join("public/current").read_link_utf8().unwrap();
        assert_eq!(now, self.before, "something was published");
    }

    /// A good import shows that the daemon lives and lost nothing; the site verifies at rest.
    #[track_caller]
    fn end(mut self) {
        let recipe = repo::Recipe::new("voms", "2.0", "1");
        let upload = self.site.upload(&recipe.file_name(), &recipe.build());
        self.site.drop_request("good.toml", &import(&upload));
        let answer = self.site.answer("good");
        assert_eq!(answer["code"], "done", "{answer:#}");
        assert!(self.daemon.stop().is_some_and(|status| status.success()), "{}", self.daemon.log());
        // What is still incomplete, or nobody's, is left where it is.
        self.site.sluice(&["verify"]).ok();
    }
}

fn import(upload: &str) -> String {
    format!(
        "format = 1\naction = \"import\"\nproduct = \"glite-3.2\"\nto = \"delta\"\nfiles = [{}]\n[end]\n",
        Value::from(upload)
    )
}

fn promotion(more: &str) -> String {
    format!(
        "format = 1\naction = \"promote\"\nproduct = \"glite-3.2\"\nfrom = \"delta\"\nto = \"production\"\n\
         packages = [\"voms\"]\n{more}[end]\n"
    )
}

/// Replaces the site's configuration.
fn configure(site: &Site, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), change(text)).unwrap();
}
