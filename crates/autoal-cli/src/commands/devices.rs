//! `autoal devices`.

use autoal_models::ComputeDevice;

use crate::exit::Code;
use crate::printer::Printer;

/// Lists the backends.
pub(crate) fn run(printer: &Printer) -> anyhow::Result<Code> {
    let mut text = String::new();
    for backend in ComputeDevice::list() {
        text.push_str(&format!("{backend}\n"));
    }
    printer.data(&text)?;
    Ok(Code::Ok)
}
