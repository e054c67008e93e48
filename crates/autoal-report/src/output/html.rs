//! The page: one file that opens from disk, follows the reader's light or dark setting, prints, and fits a phone.

use std::fmt::Write;

use super::{base64, tables};
use crate::chart::{Theme, css, escape};
use crate::document::{Block, Caption, Document, Figure, Form, Section, Sheet, Table, Value};
use crate::experiment::{Note, Severity};
use crate::options::ReportOptions;

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(super) fn page(document: &Document, options: &ReportOptions) -> String {
    let level = if document.sections.iter().any(|s| s.chapter) { 3 } else { 2 };
    let mut page = Page { html: String::new(), level, tabs: 0 };
    let refresh = options.refresh_secs.map_or(String::new(), |s| format!("<meta http-equiv=\"refresh\" content=\"{s}\">\n"));
    let title = escape(&document.title);
    page.put(format_args!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n{refresh}<title>{title}</title>\n<style>\n{}{STYLE}</style>\n</head>\n<body>\n",
        css()
    ));
    page.contents(document);
    page.put(format_args!("<main>\n<h1>{title}</h1>\n"));
    document.sections.iter().for_each(|s| page.section(s));
    page.put(format_args!("</main>\n</body>\n</html>\n"));
    page.html
}

struct Page {
    html: String,
    /// Heading level of a section that is no chapter: without chapters there is one level less.
    level: u8,
    /// Groups of tabs so far: their radio buttons need names.
    tabs: usize,
}

impl Page {
    fn put(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.html.write_fmt(arguments).expect("writing to a string cannot fail");
    }

    fn contents(&mut self, document: &Document) {
        self.put(format_args!("<nav aria-label=\"Contents\"><details open><summary>Contents</summary><ul>\n"));
        for section in &document.sections {
            let class = if section.chapter { " class=\"chapter\"" } else { "" };
            self.put(format_args!("<li{class}><a href=\"#{}\">{}</a></li>\n", section.id, escape(&section.title)));
        }
        self.put(format_args!("</ul></details></nav>\n"));
    }

    fn section(&mut self, section: &Section) {
        let (level, class) = if section.chapter { (2, " class=\"chapter\"") } else { (self.level, " class=\"part\"") };
        self.put(format_args!("<section id=\"{}\"{class}>\n<h{level}>{}</h{level}>\n", section.id, escape(&section.title)));
        section.blocks.iter().for_each(|b| self.block(b));
        self.put(format_args!("</section>\n"));
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Text(text) => self.put(format_args!("<p>{}</p>\n", escape(text))),
            Block::Notes(notes) => notes.iter().for_each(|n| self.note(n)),
            Block::Figure(figure) => self.figure(figure),
            Block::Table(table) => self.table(table),
            Block::Tabs(tabs) => self.tabs(tabs),
            Block::Code { title, text } => {
                self.put(format_args!(
                    "<details class=\"code\"><summary>{}</summary><pre>{}</pre></details>\n",
                    escape(title),
                    escape(text)
                ));
            }
            Block::Sheet(sheet) => self.sheet(sheet),
        }
    }

    fn note(&mut self, note: &Note) {
        let (class, word) = match note.severity {
            Severity::Info => ("info", "Note"),
            Severity::Warning => ("warning", "Mind"),
            Severity::Refused => ("refused", "Not supported"),
        };
        self.put(format_args!("<p class=\"note {class}\"><strong>{word}.</strong> {}</p>\n", with_code(&note.text)));
    }

    fn figure(&mut self, figure: &Figure) {
        let (name, caption) = (&figure.name, escape(&figure.caption));
        self.put(format_args!(
            "<figure id=\"figure-{name}\">\n<div class=\"scroll\">{}</div>\n",
            figure.drawing.draw(Theme::Page)
        ));
        self.put(format_args!("<figcaption>{caption} <span class=\"files\">"));
        for (folder, kind) in [("figures", "svg"), ("figures", "png"), ("tables", "csv")] {
            self.put(format_args!("<a href=\"{folder}/{name}.{kind}\">{}</a> ", kind.to_uppercase()));
        }
        self.put(format_args!("</span></figcaption>\n</figure>\n"));
    }

    fn table(&mut self, table: &Table) {
        let numeric: Vec<bool> = (0..table.columns.len()).map(|i| tables::is_numeric(table, i)).collect();
        let class = |i: usize| if numeric[i] { " class=\"n\"" } else { "" };
        self.put(format_args!("<figure class=\"table\" id=\"table-{}\">\n<figcaption>{} ", table.name, escape(&table.caption)));
        self.put(format_args!("<span class=\"files\"><a href=\"tables/{n}.csv\">CSV</a> <a href=\"tables/{n}.md\">Markdown</a></span></figcaption>\n", n = table.name));
        self.put(format_args!("<div class=\"scroll\"><table>\n<thead><tr>"));
        for (i, column) in table.columns.iter().enumerate() {
            self.put(format_args!("<th{} scope=\"col\">{}</th>", class(i), escape(&column.title)));
        }
        self.put(format_args!("</tr></thead>\n<tbody>\n"));
        for row in &table.rows {
            self.put(format_args!("<tr>"));
            for (i, value) in row.iter().enumerate() {
                self.cell(i, value, class(i));
            }
            self.put(format_args!("</tr>\n"));
        }
        self.put(format_args!("</tbody></table></div>\n</figure>\n"));
    }

    fn cell(&mut self, column: usize, value: &Value, class: &str) {
        let text = escape(&value.show());
        if column == 0 {
            self.put(format_args!("<th scope=\"row\">{text}</th>"));
        } else {
            self.put(format_args!("<td{class}>{text}</td>"));
        }
    }

    /// Radio buttons and CSS: no script.
    fn tabs(&mut self, tabs: &[(String, Vec<Block>)]) {
        self.tabs += 1;
        let group = self.tabs;
        self.put(format_args!("<div class=\"tabs\">\n"));
        for (i, (title, blocks)) in tabs.iter().enumerate() {
            let checked = if i == 0 { " checked" } else { "" };
            let title = escape(title);
            self.put(format_args!("<input type=\"radio\" name=\"tabs-{group}\" id=\"tab-{group}-{i}\"{checked}><label for=\"tab-{group}-{i}\">{title}</label>\n"));
            self.put(format_args!("<div class=\"tab\"><p class=\"print-title\">{title}</p>\n"));
            for block in blocks {
                self.block(block);
            }
            self.put(format_args!("</div>\n"));
        }
        self.put(format_args!("</div>\n"));
    }

    /// Tiles that show one part each of the same picture, so that they wrap.
    fn sheet(&mut self, sheet: &Sheet) {
        let (count, title) = (sheet.captions.len(), escape(&sheet.title));
        self.put(format_args!("<figure class=\"sheet\"><figcaption>{title}</figcaption>"));
        self.put(format_args!(
            "<div class=\"tiles\" style=\"--sheet:url(data:image/png;base64,{});--images:{}\">",
            base64::encode(&sheet.png),
            sheet.images
        ));
        for (i, caption) in sheet.captions.iter().enumerate() {
            let label = escape(&caption.label);
            self.put(format_args!(
                "<div><i role=\"img\" aria-label=\"image {} of {count}, {label}\" style=\"--i:{i}\"></i>",
                i + 1
            ));
            self.put(format_args!("<b title=\"{label}\">{label}</b>"));
            self.why(caption);
            self.put(format_args!("</div>"));
        }
        self.put(format_args!("</div></figure>\n"));
    }

    /// Why an image was selected, a reason a line: what the model took it for, the score, the candidates that put it forward.
    fn why(&mut self, caption: &Caption) {
        if let Some((class, confidence)) = &caption.predicted {
            let sure = confidence.map_or(String::new(), |c| format!("{} % ", Form::Percent(0).write(c)));
            let (class, mark) = (escape(class), if *class == caption.label { "right" } else { "wrong" });
            self.put(format_args!("<span class=\"{mark}\" title=\"the model said {sure}{class}\">{sure}{class}</span>"));
        }
        if let Some(score) = caption.score {
            self.put(format_args!("<span>score {}</span>", Form::Significant(3).write(score)));
        }
        if !caption.nominated_by.is_empty() {
            let names = escape(&caption.nominated_by.join(", "));
            self.put(format_args!("<span class=\"by\" title=\"{names}\">{names}</span>"));
        }
    }
}

/// Escaped text whose parts in backticks are set as code.
fn with_code(text: &str) -> String {
    let set = |(i, part): (usize, &str)| if i % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) };
    text.split('`').enumerate().map(set).collect()
}
