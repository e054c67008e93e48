//! Every number of the report as JSON.

use serde_json::{Map, Value as Json, json};

use crate::document::{Block, Caption, Document, Section, Table, Value};

/// The document, unrounded: `{version, title, sections: [{id, title, blocks: [..]}]}`.
pub(super) fn document(document: &Document) -> Json {
    let sections: Vec<Json> = document.sections.iter().map(section).collect();
    json!({"version": crate::schema::VERSION, "title": document.title, "sections": sections})
}

fn section(section: &Section) -> Json {
    json!({"id": section.id, "title": section.title, "blocks": section.blocks.iter().map(block).collect::<Vec<_>>()})
}

fn block(block: &Block) -> Json {
    match block {
        Block::Text(text) => json!({"kind": "text", "text": text}),
        Block::Notes(notes) => json!({"kind": "notes", "notes": notes}),
        Block::Figure(f) => json!({"kind": "figure", "name": f.name, "caption": f.caption, "data": table(&f.data)}),
        Block::Table(t) => json!({"kind": "table", "table": table(t)}),
        Block::Tabs(tabs) => {
            let tab = |(title, blocks): &(String, Vec<Block>)| json!({"title": title, "blocks": blocks.iter().map(self::block).collect::<Vec<_>>()});
            json!({"kind": "tabs", "tabs": tabs.iter().map(tab).collect::<Vec<_>>()})
        }
        Block::Code { title, text } => json!({"kind": "text", "title": title, "text": text}),
        Block::Sheet(sheet) => {
            let image = |caption: &Caption| {
                let (predicted, confidence) = caption.predicted.clone().unzip();
                json!({"label": caption.label, "score": caption.score, "predicted": predicted, "confidence": confidence.flatten(),
                    "nominated_by": caption.nominated_by})
            };
            json!({"kind": "contact-sheet", "title": sheet.title, "images": sheet.captions.iter().map(image).collect::<Vec<_>>()})
        }
    }
}

fn table(table: &Table) -> Json {
    let row = |row: &Vec<Value>| {
        let cells = table.columns.iter().zip(row).map(|(c, v)| (c.key.clone(), value(v)));
        Json::Object(cells.collect::<Map<String, Json>>())
    };
    json!({"name": table.name, "caption": table.caption, "rows": table.rows.iter().map(row).collect::<Vec<_>>()})
}

fn value(value: &Value) -> Json {
    match value {
        Value::Missing => Json::Null,
        Value::Text(text) => json!(text),
        Value::Number(v, _) => json!(v),
        Value::Interval(v, ends, _) => json!({"value": v, "low": ends.map(|e| e.0), "high": ends.map(|e| e.1)}),
    }
}
