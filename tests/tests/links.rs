//! The documents lead to each other.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use pas_tests::checked_in;

/// The documents that people read.
fn documents() -> Result<Vec<PathBuf>> {
    let root = checked_in::root();
    let mut documents = checked_in::files("docs", ".md")?;
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "contracts/README.md"] {
        documents.push(root.join(name));
    }
    for folder in ["crates", "services"] {
        for entry in fs::read_dir(root.join(folder)).context(folder)? {
            documents.push(entry?.path().join("README.md"));
        }
    }
    Ok(documents)
}

/// Where the links of a document lead that stay in the repository, without the heading that they name.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://"));
    files.map(|target| target.split('#').next().unwrap_or_default()).filter(|path| !path.is_empty()).collect()
}

#[test]
fn each_link_leads_to_a_file_that_exists() -> Result<()> {
    let mut broken = Vec::new();
    for document in documents()? {
        let text = fs::read_to_string(&document).with_context(|| document.display().to_string())?;
        let folder = document.parent().context("a document lies in a folder")?;
        let missing = links(&text).into_iter().filter(|link| !folder.join(link).exists());
        broken.extend(missing.map(|link| format!("{}: {link}", document.display())));
    }
    assert_eq!(broken, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_link_is_found_unless_it_is_an_example_or_leads_elsewhere() {
    let text =
        "[a](a.md), [b](../b.md#part)\n```\n[c](c.md)\n```\n[d](https://example.org/) [e](#part) [f](f/)";
    assert_eq!(links(text), ["a.md", "../b.md", "f/"]);
}
