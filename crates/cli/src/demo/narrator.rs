//! Tells the story: what is done, what should be seen, what is seen.

use anyhow::Result;
use serde::Serialize;

use super::client::Client;
use crate::failure::Failure;
use crate::terminal::{Paint, Terminal};

/// How wide a line of the story is.
const WIDTH: usize = 92;

/// One step that was played.
#[derive(Debug, Serialize)]
struct Step {
    step: usize,
    title: String,
    expected: String,
    observed: String,
    held: bool,
}

/// Prints steps as they are played and remembers which held.
pub struct Narrator<'a> {
    terminal: Terminal,
    client: &'a Client,
    spoil: Option<usize>,
    steps: Vec<Step>,
}

impl<'a> Narrator<'a> {
    /// Spoils the step of that number, if one is given.
    pub fn new(terminal: Terminal, client: &'a Client, spoil: Option<usize>) -> Narrator<'a> {
        Narrator { terminal, client, spoil, steps: Vec::new() }
    }

    /// Says a line of the story; with `--json` the story goes to stderr.
    fn say(&self, text: &str) {
        if self.terminal.json {
            self.terminal.talk(text);
        } else {
            self.terminal.data(&format!("{text}\n"));
        }
    }

    fn paint(&self) -> Paint {
        self.terminal.paint
    }

    /// Begins with a heading.
    pub fn chapter(&self, title: &str, words: &str) {
        self.say(&self.paint().bold(title));
        self.say(&wrapped("", words));
    }

    /// Shows a text as it is, such as a request file.
    pub fn show(&self, caption: &str, text: &str) {
        self.say(&format!("   {caption}"));
        for line in text.lines() {
            self.say(&self.paint().dim(&format!("   | {line}")));
        }
    }

    /// Plays one step: it holds if what is observed is what is expected, to the letter.
    ///
    /// An error while observing is an observation. Gives back whether the step held.
    pub fn step(
        &mut self,
        title: &str,
        words: &str,
        expected: impl Into<String>,
        observe: impl FnOnce(&Self) -> Result<String>,
    ) -> bool {
        let step = self.steps.len() + 1;
        self.say("");
        self.say(&self.paint().bold(&format!("{step}. {title}")));
        self.say(&wrapped("   ", words));
        let spoiled = self.spoil == Some(step);
        self.client.spoil(spoiled);
        let expected = expected.into();
        let mut observed = observe(self).unwrap_or_else(|error| format!("{error:#}"));
        if self.client.spoil(false) {
            // Asked to spoil, and nothing was fetched that could be.
            observed.push_str(" (not looked at)");
        }
        let held = observed == expected;
        self.say(&wrapped("   expected  ", &expected));
        self.say(&wrapped("   observed  ", &observed));
        let verdict = if held {
            self.paint().green("✓ as expected")
        } else {
            self.paint().red("✗ not as expected")
        };
        self.say(&format!("   {verdict}"));
        self.steps.push(Step { step, title: title.to_owned(), expected, observed, held });
        held
    }

    /// Counts; true if every step held. Fails if a step was to be spoiled that there is not.
    pub fn epilogue(self) -> Result<bool, Failure> {
        if let Some(spoil) = self.spoil.filter(|spoil| !(1..=self.steps.len()).contains(spoil)) {
            return Err(Failure::usage(format!("there is no step {spoil}, only {}", self.steps.len())));
        }
        let held = self.steps.iter().filter(|step| step.held).count();
        let all = held == self.steps.len();
        let words = format!("{held} of {} steps held", self.steps.len());
        self.say("");
        self.say(&if all { self.paint().green(&words) } else { self.paint().red(&words) });
        if self.terminal.json {
            self.terminal.json(&self.steps);
        }
        Ok(all)
    }
}

/// Breaks words into lines; the first begins with `head`, the others as far in.
fn wrapped(head: &str, words: &str) -> String {
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    let mut empty = true;
    for word in words.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(head.chars().count())));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_go_into_the_next_line_under_the_first() {
        let words = "word ".repeat(20);
        let text = wrapped("   expected  ", &words);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("             word")), "{text}");
        assert_eq!(wrapped("a ", ""), "a ");
    }

    fn narrated(spoil: Option<usize>, observed: &str) -> Result<bool, u8> {
        let client = Client::new();
        let mut narrator = Narrator::new(Terminal::mute(), &client, spoil);
        narrator.step("a", "b", "expected", |_| Ok(observed.to_owned()));
        narrator.epilogue().map_err(|failure| failure.exit)
    }

    #[test]
    fn a_step_holds_if_it_is_seen_to_the_letter() {
        assert_eq!(narrated(None, "expected"), Ok(true));
        assert_eq!(narrated(None, "expected "), Ok(false));
    }

    #[test]
    fn a_step_cannot_be_spoiled_unseen() {
        // This step fetches nothing, so there was nothing to spoil: it must not pass for that.
        assert_eq!(narrated(Some(1), "expected"), Ok(false));
        assert_eq!(narrated(Some(2), "expected"), Err(2));
    }
}
