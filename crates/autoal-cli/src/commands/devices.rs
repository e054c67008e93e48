//! `autoal devices`.

use std::fmt::Write;

use autoal_models::{BackendStatus, ComputeDevice};

use crate::exit::Code;
use crate::printer::Printer;

/// Lists the backends: whether each is compiled in, what was found, and what to do.
pub(crate) fn run(printer: Printer) -> anyhow::Result<Code> {
    let mut text = String::new();
    for BackendStatus { name, compiled, devices, note } in ComputeDevice::list() {
        let state = if compiled { "compiled in" } else { "not compiled in" };
        writeln!(text, "{name:8} {state:15} {note}")?;
        for device in devices {
            writeln!(text, "{:24} {device}", "")?;
        }
    }
    printer.data(&text)?;
    Ok(Code::Ok)
}
