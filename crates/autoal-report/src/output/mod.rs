//! A document's forms: the page, SVG and PNG figures, CSV and Markdown tables, JSON.

mod base64;
mod files;
mod html;
mod json;
mod tables;

pub use files::{Written, fingerprint, render_json, write_report};
