//! Every document that is one step away from a given one: a field less, another type, a number too far, a text too
//! long, a field too many.

use serde_json::{Map, Value, json};

/// A document that was made from another.
#[derive(Debug, Clone, PartialEq)]
pub struct Mutant {
    /// What was done, and where.
    pub what: String,
    /// The result.
    pub document: Value,
}

/// Every mutant of `document`.
pub fn mutants(document: &Value) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for place in places(document) {
        let at = document.pointer(&place).unwrap_or(&Value::Null);
        let here = replacements().into_iter().chain(neighbours(at));
        mutants.extend(here.map(|(what, value)| Mutant {
            what: format!("{what} at `{place}`"),
            document: with(document, &place, |node| *node = value),
        }));
        for key in keys(at) {
            mutants.push(Mutant {
                what: format!("without `{place}/{key}`"),
                document: with(document, &place, |node| {
                    node.as_object_mut().map(|map| map.remove(&key));
                }),
            });
        }
    }
    mutants
}

/// The JSON pointers of a document, its root first.
fn places(document: &Value) -> Vec<String> {
    let mut places = vec![String::new()];
    let children: Vec<(String, &Value)> = match document {
        Value::Object(map) => map.iter().map(|(key, value)| (escaped(key), value)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children {
        places.extend(places_below(&key, child));
    }
    places
}

fn places_below(key: &str, child: &Value) -> impl Iterator<Item = String> {
    places(child).into_iter().map(move |place| format!("/{key}{place}"))
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn with(document: &Value, place: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut document = document.clone();
    if let Some(node) = document.pointer_mut(place) {
        change(node);
    }
    document
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
}

/// What is put in the place of anything.
fn replacements() -> Vec<(String, Value)> {
    let numbers = [
        "-1",
        "0",
        "1",
        "2",
        "100",
        "101",
        "-100",
        "-101",
        "3600",
        "3601",
        "65535",
        "65536",
        "86400",
        "86401",
        "604800",
        "604801",
        "4294967295",
        "4294967296",
        "9007199254740991",
        "9007199254740992",
        "9223372036854775808",
        "18446744073709551615",
        "0.5",
        "-0.5",
        "1.5",
        "1e-10",
        "1e15",
        "1e300",
        "2.0",
    ];
    let texts = [
        "",
        " ",
        ".",
        "..",
        "x",
        "ok",
        "any",
        "agent",
        "running",
        "a,b",
        "a b",
        "tab\there",
        "nul\u{0}here",
        "not-a-uuid",
        "0193a0f2-7c3e-7a51-8b1d-2f6c9e4d5a7b",
        "0193A0F2-7C3E-7A51-8B1D-2F6C9E4D5A7B",
        "0193a0f27c3e7a518b1d2f6c9e4d5a7b",
        "{0193a0f2-7c3e-7a51-8b1d-2f6c9e4d5a7b}",
        "urn:uuid:0193a0f2-7c3e-7a51-8b1d-2f6c9e4d5a7b",
        "2025-11-06T10:30:00.123Z",
        "2025-11-06T10:30:00+01:00",
        "2025-11-06t10:30:00z",
        "2025-11-06T23:59:60Z",
        "2025-11-06T10:30:00,5Z",
        "2025-11-06T10:30:00-24:30",
        "2025-11-06T10:30:00-05:30",
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "2025-11-06 10:30:00Z",
        "20251106T103000Z",
        "2025-11-06T10:30Z",
        "2025-11-06T10:30:00",
        "2025-11-06",
        "2025-02-30T10:30:00Z",
        "2025-11-06T24:00:00Z",
        "2025-11-06T10:30:00Z[UTC]",
        "yesterday",
        "1",
        "http://127.0.0.1:8888",
        "ftp://127.0.0.1",
        "http://user:secret@127.0.0.1",
        "http://127.0.0.1/?a=1",
    ];
    let lengths = [128, 129, 256, 257, 1024, 1025, 4096, 4097, 8192, 8193, 65_536, 65_537];
    let others = [json!(null), json!(true), json!(false), json!([]), json!({}), json!([1]), json!({"x": 1})];
    let numbers = numbers.iter().filter_map(|text| Some((format!("the number {text}"), text.parse().ok()?)));
    let texts = texts.iter().map(|text| (format!("the text {text:?}"), json!(text)));
    let lengths = lengths.iter().map(|length| (format!("{length} letters"), json!("x".repeat(*length))));
    let others = others.into_iter().map(|value| (format!("{value}"), value));
    numbers.chain(texts).chain(lengths).chain(others).collect()
}

/// What is put in the place of a value of this type.
fn neighbours(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(map) => {
            let mut neighbours = vec![("an unknown field".to_owned(), extended(map, 1))];
            neighbours.extend([63, 64, 65].map(|count| (format!("{count} keys more"), extended(map, count))));
            neighbours.push(("an empty key".to_owned(), with_key(map, String::new())));
            neighbours.extend(
                [256, 257].map(|size| (format!("a key of {size} letters"), with_key(map, "k".repeat(size)))),
            );
            neighbours
        }
        Value::Array(list) => {
            let Some(first) = list.first() else { return Vec::new() };
            let mut neighbours = vec![("its first entry twice".to_owned(), repeated(list, first, 1))];
            for count in [255, 256, 257, 1023, 1024, 1025] {
                let entries = (0..count).map(|place| numbered(first, place)).collect();
                neighbours.push((format!("{count} entries"), Value::Array(entries)));
            }
            neighbours
        }
        Value::String(text) => {
            let changed = [
                text.to_uppercase(),
                format!("{text}\n"),
                format!(" {text}"),
                text.chars().skip(1).collect(),
            ];
            changed.map(|text| (format!("the text {text:?}"), json!(text))).into()
        }
        _ => Vec::new(),
    }
}

fn extended(map: &Map<String, Value>, count: usize) -> Value {
    let like = map.values().next().cloned().unwrap_or(json!("x"));
    let more = (0..count).map(|place| (format!("extra_{place}"), like.clone()));
    map.clone().into_iter().chain(more).collect()
}

fn with_key(map: &Map<String, Value>, key: String) -> Value {
    let like = map.values().next().cloned().unwrap_or(json!("x"));
    map.clone().into_iter().chain([(key, like)]).collect()
}

fn repeated(list: &[Value], first: &Value, times: usize) -> Value {
    list.iter().chain(std::iter::repeat_n(first, times)).cloned().collect()
}

/// Something like `first` that differs from place to place.
fn numbered(first: &Value, place: usize) -> Value {
    match first {
        Value::String(_) => json!(format!("entry-{place}")),
        Value::Number(_) => json!(place + 1),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_document_is_changed() {
        assert_eq!(places(&json!({"a": [1, {"b/c": 2}]})), ["", "/a", "/a/0", "/a/1", "/a/1/b~1c"]);
    }

    #[test]
    fn a_mutant_differs_in_one_place() {
        let mutants = mutants(&json!({"a": "x", "b": [1]}));
        let found =
            |what: &str| mutants.iter().find(|mutant| mutant.what == what).map(|mutant| &mutant.document);
        assert_eq!(found("without `/a`"), Some(&json!({"b": [1]})));
        assert_eq!(found("null at `/b/0`"), Some(&json!({"a": "x", "b": [null]})));
        assert_eq!(found("an unknown field at ``"), Some(&json!({"a": "x", "b": [1], "extra_0": "x"})));
        assert_eq!(found("its first entry twice at `/b`"), Some(&json!({"a": "x", "b": [1, 1]})));
    }
}
