//! The only place that prints.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, Cell, Color, Table, presets};
use owo_colors::{AnsiColors, OwoColorize};

use crate::core::condition::Condition;

/// A line on standard output. It fails when the reader has gone, as in `pas logs -f | head`.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

/// Says on standard error why a command failed.
pub(crate) fn error(text: impl Display) {
    let mark = if coloured(&io::stderr()) { "error:".red().bold().to_string() } else { "error:".to_owned() };
    // Who closed standard error does not want to know.
    let _ = writeln!(io::stderr(), "{mark} {text}");
}

/// Says on standard error what a command that goes on had to do without.
pub(crate) fn note(text: impl Display) {
    // Who closed standard error does not want to know.
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// `text` in the colour of good or bad news.
pub(crate) fn verdict(text: &str, good: bool) -> String {
    let colour = if good { AnsiColors::Green } else { AnsiColors::Red };
    if coloured(&io::stdout()) { text.color(colour).to_string() } else { text.to_owned() }
}

/// A condition as a cell of a table.
pub(crate) fn condition(condition: Condition) -> Cell {
    let colour = match condition {
        Condition::Ok => Color::Green,
        Condition::Recovering | Condition::Degraded | Condition::Starting => Color::Yellow,
        Condition::NotConfigured => Color::Blue,
        Condition::Down | Condition::Silent | Condition::Stopped => Color::Red,
    };
    let cell = Cell::new(condition.words());
    if coloured(&io::stdout()) { cell.fg(colour) } else { cell }
}

/// A table on standard output: plain columns, which other programs can read too.
pub(crate) fn table<Row: Into<comfy_table::Row>>(
    headers: &[&str],
    rows: impl IntoIterator<Item = Row>,
) -> io::Result<()> {
    let bold = coloured(&io::stdout());
    let header =
        |name: &&str| if bold { Cell::new(name).add_attribute(Attribute::Bold) } else { Cell::new(name) };
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headers.iter().map(header)).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    line(table.trim_fmt())
}

/// Whether the stream is a terminal whose user has not asked for plain text.
#[expect(
    clippy::disallowed_methods,
    reason = "NO_COLOR is a convention of terminals, not configuration of PAS"
)]
fn coloured(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
