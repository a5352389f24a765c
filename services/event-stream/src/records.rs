//! What the journal has, as it is handed out.

use std::borrow::Cow;
use std::sync::Arc;

use pas_journal::{Reader, Record};
use pas_types::event::Header;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::core::recent::Entry;

/// Records that are read at once.
pub(crate) const PART_RECORDS: usize = 500;
/// Bytes that are read at once.
pub(crate) const PART_BYTES: usize = 128 * 1024;

/// What the journal writes behind the number of a record whose group goes on.
const MORE: &str = r#","more":true"#;

/// A record as it is handed out; what is no event (of this version) is passed over.
pub(crate) fn entry(record: Record) -> Option<Arc<Entry>> {
    let mut text = String::from_utf8(record.line).ok()?;
    // How the journal says that a batch goes on; nobody's business outside of it.
    let numbered = format!(r#","seq":{}"#, record.seq);
    if let Some(place) = text.rfind(&format!("{numbered}{MORE}")) {
        let mark = place + numbered.len();
        text.replace_range(mark..mark + MORE.len(), "");
    }
    let header = Header::read(text.as_bytes()).ok()?.into_owned();
    let line = RawValue::from_string(text).ok()?;
    Some(Arc::new(Entry { seq: record.seq, header, line }))
}

/// Hands out everything from where `reader` is up to the head.
pub(crate) fn each(reader: &mut Reader, mut fold: impl FnMut(Arc<Entry>)) -> anyhow::Result<()> {
    loop {
        let records = reader.read(PART_RECORDS, PART_BYTES)?;
        if records.is_empty() {
            return Ok(());
        }
        records.into_iter().filter_map(entry).for_each(&mut fold);
    }
}

/// The idempotency key of an event.
pub(crate) fn key_of(entry: &Entry) -> Option<String> {
    #[derive(Deserialize)]
    struct Keyed<'a> {
        #[serde(borrow)]
        idempotency_key: Option<Cow<'a, str>>,
    }
    let keyed: Keyed<'_> = serde_json::from_str(entry.line.get()).ok()?;
    keyed.idempotency_key.map(Cow::into_owned)
}
