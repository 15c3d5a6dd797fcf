//! A bar on a terminal, and nothing anywhere else.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::{clip, visible};

/// The most characters of the text behind the bar.
const TEXT: usize = 200;

/// A bar on standard error; gone without a trace when it is ended.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar of so many steps where `shown`.
    pub(super) fn new(steps: u64, shown: bool) -> Self {
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Progress(bar)
    }

    /// Whether there is a bar.
    pub(crate) fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// One step more is done.
    pub(crate) fn step(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    /// Says what goes on. The text may be a stranger's.
    pub(crate) fn show(&self, text: &str) {
        if let Some(bar) = &self.0 {
            let text = clip(text, TEXT);
            bar.set_message(visible(&text).into_owned());
        }
    }

    /// Removes the bar.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
