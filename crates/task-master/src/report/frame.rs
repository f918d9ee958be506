//! A screen that is written over again and again, without flickering.
//!
//! What it shows is not known here. Start at [`over`].

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

/// Empties the screen.
pub(super) const CLEAR: &str = "\u{1b}[2J";

/// Text that is kept instead of being printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(super) fn take(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&mem::take(&mut *bytes)).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What shows the text and, below it, the footer on a screen of so many rows, over what was
/// there. Lines that have no room are counted in the footer; long ones end where the screen does.
pub(super) fn over(text: &str, footer: &str, rows: usize) -> String {
    const HOME: &str = "\u{1b}[?7l\u{1b}[H";
    const CLEAR_LINE: &str = "\u{1b}[K";
    const CLEAR_REST: &str = "\u{1b}[J";
    const END: &str = "\u{1b}[?7h";
    let room = rows.saturating_sub(1);
    let mut frame = HOME.to_owned();
    for line in text.lines().take(room) {
        // Cleared first: after a line that fills the screen, the end of it would go, too.
        frame.extend([CLEAR_LINE, line, "\n"]);
    }
    frame.push_str(CLEAR_REST);
    let hidden = text.lines().count().saturating_sub(room);
    if hidden > 0 {
        frame.extend([&hidden.to_string(), " more lines  "]);
    }
    frame.push_str(footer);
    frame.push_str(END);
    frame
}

#[cfg(test)]
mod tests;
