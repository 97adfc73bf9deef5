//! Where words go: data to stdout, talk to stderr, colours only where a person looks.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// The two streams of the process and how they are to look.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether data is printed as JSON.
    pub json: bool,
    /// How words on stdout are painted.
    pub paint: Paint,
    talk_paint: Paint,
    watched: bool,
    mute: bool,
}

/// Paints words, or leaves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    colours: bool,
}

impl Paint {
    /// Leaves all words as they are.
    #[cfg(test)]
    pub const PLAIN: Paint = Paint { colours: false };

    fn with(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For headings.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// For what matters less.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// For what is well, and what entered.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// For what is wrong, and what left.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }
}

impl Terminal {
    /// Looks at the streams of this process once.
    pub fn of_process(json: bool, no_color: bool) -> Terminal {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Terminal {
            json,
            paint: Paint { colours: out && !no_color },
            talk_paint: Paint { colours: err && !no_color },
            watched: err,
            mute: false,
        }
    }

    /// Prints nothing at all.
    #[cfg(test)]
    pub fn mute() -> Terminal {
        Terminal { json: false, paint: Paint::PLAIN, talk_paint: Paint::PLAIN, watched: false, mute: true }
    }

    /// Whether colours may be used on stderr.
    pub fn has_colourful_talk(&self) -> bool {
        self.talk_paint.colours
    }

    /// Whether a person watches stderr.
    pub fn is_watched(&self) -> bool {
        self.watched && !self.mute
    }

    /// Prints data for people, as it is.
    ///
    /// That nobody reads any more (`sluice history | head`) is no error.
    pub fn data(&self, text: &str) {
        if self.mute {
            return;
        }
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Prints data for programs.
    pub fn json(&self, value: &impl Serialize) {
        let mut text = serde_json::to_string_pretty(value).expect("what is printed has text keys only");
        text.push('\n');
        self.data(&text);
    }

    /// Prints `value` for programs if that is wanted, else the words for people.
    pub fn either(&self, value: &impl Serialize, words: impl FnOnce(Paint) -> String) {
        if self.json { self.json(value) } else { self.data(&words(self.paint)) }
    }

    /// Says something to whoever watches.
    pub fn talk(&self, text: &str) {
        if !self.mute {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Says something only if a person watches.
    pub fn aside(&self, text: &str) {
        if self.watched {
            self.talk(&self.talk_paint.dim(text));
        }
    }

    /// Tells the service manager how it went, if one listens: `systemctl status` shows it to everybody, the journal
    /// only to those who may read it.
    pub fn tell_service_manager(&self, sentence: &str) {
        let line = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        // That nobody listens is no error.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Status(&line)]);
    }

    /// Says why the command failed; for programs also on stdout.
    pub fn failure(&self, failure: &Failure) {
        if !self.mute {
            self.tell_service_manager(&failure.sentence);
        }
        if self.json {
            self.json(failure);
        }
        let mut text = format!("{} {}", self.talk_paint.red("error:"), failure.sentence.trim_end());
        for reason in &failure.reasons {
            text.push_str(&format!("\n  {reason}"));
        }
        if let Some(hint) = &failure.hint {
            text.push_str(&format!("\n{} {hint}", self.talk_paint.bold("hint:")));
        }
        self.talk(&text);
    }
}
