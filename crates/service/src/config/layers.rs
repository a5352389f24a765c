//! Laying one source of settings over another, with the origin of each value remembered for its error message.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ConfigError;
use super::tree::Tree;

/// The settings so far: what is in force, and where each value came from.
#[derive(Debug)]
pub(super) struct Layers {
    /// Section → key → value; begins as the defaults, which name every key that there is.
    values: Value,
    origins: BTreeMap<String, String>,
}

impl Layers {
    pub(super) fn new(defaults: Value) -> Self {
        Self { values: defaults, origins: BTreeMap::new() }
    }

    /// What is in force of one section.
    pub(super) fn section(&self, name: &str) -> Value {
        self.values.get(name).cloned().unwrap_or_default()
    }

    /// Where the value at `path`, or the one that holds it, came from.
    pub(super) fn origin(&self, path: &str) -> Option<&str> {
        self.origins
            .iter()
            .filter(|(key, _)| {
                path == key.as_str()
                    || path.starts_with(&format!("{key}."))
                    || path.starts_with(&format!("{key}["))
            })
            .max_by_key(|(key, _)| key.len())
            .map(|(_, origin)| origin.as_str())
    }

    /// The path of every key that a flag or a variable can set.
    pub(super) fn leaves(&self) -> Vec<(String, Value)> {
        let mut leaves = Vec::new();
        collect(&self.values, "", &mut leaves);
        leaves
    }

    /// Lays the file over; its other services' sections are for them to check.
    pub(super) fn lay_file(
        &mut self,
        file: &str,
        tree: Tree,
        all_sections: &[&str],
    ) -> Result<(), ConfigError> {
        let sections = match tree {
            Tree::Map(map) => map,
            Tree::Leaf(Value::Null) => return Ok(()),
            Tree::Leaf(_) => {
                return Err(ConfigError::Refused(format!(
                    "{file}: expected sections, as `swarm:` or `registry:`"
                )));
            }
        };
        for (name, (line, tree)) in sections {
            let at = format!("{file}:{line}");
            if !all_sections.contains(&name.as_str()) {
                return Err(unknown(&at, "section", &name, all_sections.iter().copied()));
            }
            if let Some(mut known) = self.values.get_mut(&name).map(Value::take) {
                lay(&mut known, tree, &name, file, &at, &mut self.origins)?;
                self.values[&name] = known;
            }
        }
        Ok(())
    }

    /// Sets one value from a flag or a variable, given as text.
    pub(super) fn lay_text(&mut self, path: &str, text: &str, origin: &str) -> Result<(), ConfigError> {
        let pointer = format!("/{}", path.replace('.', "/"));
        let Some(known) = self.values.pointer_mut(&pointer) else {
            let leaves = self.leaves();
            return Err(unknown(origin, "key", path, leaves.iter().map(|(path, _)| path.as_str())));
        };
        *known = parse(known, text)
            .map_err(|why| ConfigError::Refused(format!("{origin}: `{text}` can't be read: {why}")))?;
        self.origins.insert(path.to_owned(), origin.to_owned());
        Ok(())
    }
}

/// Reads text as the kind of value that the default is.
fn parse(default: &Value, text: &str) -> Result<Value, String> {
    match default {
        Value::String(_) => Ok(text.into()),
        Value::Array(_) if !text.trim_start().starts_with('[') => {
            Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect())
        }
        _ => serde_saphyr::from_str(text).map_err(|error| error.to_string()),
    }
}

fn lay(
    known: &mut Value,
    tree: Tree,
    path: &str,
    file: &str,
    at: &str,
    origins: &mut BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    match (known, tree) {
        // A map that is empty by default has keys of the user's own choice.
        (Value::Object(fields), Tree::Map(map)) => {
            let open = fields.is_empty();
            for (key, (line, tree)) in map {
                let at = format!("{file}:{line}");
                if !open && !fields.contains_key(&key) {
                    return Err(unknown(&at, "key", &key, fields.keys().map(String::as_str)));
                }
                let field = fields.entry(key.clone()).or_insert(Value::Null);
                lay(field, tree, &format!("{path}.{key}"), file, &at, origins)?;
            }
            Ok(())
        }
        // A section that is there but empty changes nothing.
        (Value::Object(_), Tree::Leaf(Value::Null)) => Ok(()),
        (known, tree) => {
            *known = plain(tree);
            origins.insert(path.to_owned(), at.to_owned());
            Ok(())
        }
    }
}

fn plain(tree: Tree) -> Value {
    match tree {
        Tree::Leaf(value) => value,
        Tree::Map(map) => Value::Object(map.into_iter().map(|(key, (_, tree))| (key, plain(tree))).collect()),
    }
}

fn collect(value: &Value, path: &str, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(value, &path, leaves);
            }
        }
        leaf => leaves.push((path.to_owned(), leaf.clone())),
    }
}

pub(super) fn unknown<'a>(
    at: &str,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> ConfigError {
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    let nearest =
        known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|known| likeness(known) > 0.8);
    let hint = nearest.map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default();
    ConfigError::Refused(format!("{at}: unknown {what} `{name}`{hint}"))
}
