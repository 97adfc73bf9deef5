//! A progress bar, where a person watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::Terminal;

/// A bar over bytes; silent where nobody watches.
pub struct Bar(ProgressBar);

impl Bar {
    /// Makes one that shows itself with the first thing it is told.
    pub fn new(terminal: &Terminal) -> Bar {
        let target = match terminal.is_watched() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Bar(ProgressBar::with_draw_target(Some(0), target).with_style(style))
    }

    /// Shows how far something has come.
    pub fn show(&self, words: &str, done: u64, all: u64) {
        self.0.set_length(all);
        self.0.set_position(done);
        self.0.set_message(words.to_owned());
    }

    /// Goes on by some bytes.
    pub fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Goes away.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}
