//! `tipstaff fields`: what rules can name, printed from the table.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};

use super::columns;
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::escape::Escaped;
use crate::field::{FIELDS, FieldInfo, Kind};

/// List the fields that events have and rules can name
///
/// Prints each field's name (ECS where ECS has one), its type, who chose its
/// text, and the other names by which Sigma rules of a log class may call it.
/// What `user` chose is an attacker's text: do not let it alone decide.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Only fields whose name or alias contains this text
    #[arg(value_name = "TEXT")]
    text: Option<String>,
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    let wanted = |field: &&FieldInfo| {
        let Some(text) = &options.text else {
            return true;
        };
        let aliases = field.aliases.iter();
        field.name.contains(text.as_str())
            || aliases
                .clone()
                .any(|(_, alias)| alias.contains(text.as_str()))
    };
    let fields: Vec<_> = FIELDS.iter().filter(wanted).collect();
    if fields.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "no field's name contains `{}`",
                Escaped(options.text.as_deref().unwrap_or("").as_bytes())
            ),
            "`tipstaff fields` lists them all",
        ));
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{}", table(&fields, columns(terminal.out)))?;
    out.flush()?;
    Ok(Exit::Success)
}

fn table(fields: &[&FieldInfo], width: usize) -> String {
    let mut table = plain_table(width);
    table.set_header(["field", "type", "chosen by", "meaning and other names"]);
    for field in fields {
        let aliases = field.aliases.iter();
        let aliases = aliases.map(|(class, alias)| format!("{alias} ({class})"));
        let aliases = aliases.collect::<Vec<_>>().join(", ");
        let meaning = if aliases.is_empty() {
            field.about.to_owned()
        } else {
            format!("{}\nalso {aliases}", field.about)
        };
        table.add_row([field.name, kind(field.kind), field.trust.word(), &meaning]);
    }
    aligned(&mut table)
}

/// A table without lines, as wide as the terminal, two blanks between columns.
pub(super) fn plain_table(width: usize) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table
}

/// The table's text, without the blank that its library puts before each column.
pub(super) fn aligned(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Ip => "address",
        Kind::Int => "integer",
        Kind::Float => "number",
        Kind::Bool => "yes/no",
    }
}
