//! `autoal devices`.

use autoal_models::{BackendStatus, ComputeDevice};

use crate::exit::Code;
use crate::printer::Printer;

/// Lists the backends: whether each is compiled in, what was found, and what to do.
pub(crate) fn run(printer: &Printer) -> anyhow::Result<Code> {
    let mut text = String::new();
    for BackendStatus { name, compiled, devices, note } in ComputeDevice::list() {
        let state = if compiled { "compiled in" } else { "not compiled in" };
        text.push_str(&format!("{name:8} {state:15} {note}\n"));
        for device in devices {
            text.push_str(&format!("{:24} {device}\n", ""));
        }
    }
    printer.data(&text)?;
    Ok(Code::Ok)
}
