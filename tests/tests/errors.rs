//! The pages in `docs/errors` say of each code what the code says.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use pas_tests::checked_in;
use pas_types::error::ErrorEnvelope;
use pas_types::{Error, ErrorCode};
use serde_json::Value;

fn page(name: &str) -> Result<String> {
    let path = format!("docs/errors/{name}.md");
    fs::read_to_string(checked_in::root().join(&path)).context(path)
}

/// The name of a gRPC status, as its specification has it.
fn grpc_name(code: i32) -> Result<&'static str> {
    let named = match code {
        3 => "INVALID_ARGUMENT",
        4 => "DEADLINE_EXCEEDED",
        5 => "NOT_FOUND",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        16 => "UNAUTHENTICATED",
        _ => return Err(anyhow::anyhow!("no code has the gRPC status {code} yet: name it here")),
    };
    Ok(named)
}

/// A code's HTTP status, gRPC status, fault, and whether it is retryable, in words.
fn words(code: ErrorCode) -> Result<[String; 4]> {
    let fault = serde_json::to_value(code.fault())?;
    let grpc = format!("{} ({})", grpc_name(code.grpc_code())?, code.grpc_code());
    let retryable = if code.retryable() { "yes" } else { "no" };
    Ok([
        code.http_status().to_string(),
        grpc,
        fault.as_str().context("a word")?.to_owned(),
        retryable.to_owned(),
    ])
}

#[test]
fn there_is_a_page_for_each_code_and_for_nothing_else() -> Result<()> {
    let found = checked_in::files("docs/errors", ".md")?;
    let found = found.iter().filter_map(|path| path.file_stem()?.to_str()).collect::<BTreeSet<_>>();
    let wanted = ErrorCode::ALL.iter().map(|code| code.as_str()).chain(["README"]).collect();
    assert_eq!(found, wanted);
    Ok(())
}

#[test]
fn the_table_says_what_the_code_says() -> Result<()> {
    let wanted = ErrorCode::ALL
        .into_iter()
        .map(|code| Ok(format!("| [{code}]({code}.md) | {} |", words(code)?.join(" | "))))
        .collect::<Result<Vec<_>>>()?;
    let table = page("README")?;
    let found = table.lines().filter(|line| line.starts_with("| [")).collect::<Vec<_>>();
    assert_eq!(found, wanted);
    Ok(())
}

#[test]
fn each_page_says_what_the_code_says_and_has_cause_and_remedy() -> Result<()> {
    for code in ErrorCode::ALL {
        let page = page(code.as_str())?;
        let [http, grpc, fault, retryable] = words(code)?;
        let head = format!("# {code}\n\nHTTP {http}, gRPC {grpc}. Fault: {fault}. Retryable: {retryable}.\n");
        assert!(page.starts_with(&head), "{code} should begin with\n{head}");
        for heading in ["\n## Cause\n", "\n## Remedy\n", "\n## Example\n"] {
            assert!(page.contains(heading), "{code} lacks {}", heading.trim());
        }
    }
    Ok(())
}

#[test]
fn the_example_on_each_page_is_an_envelope_as_it_would_be_answered() -> Result<()> {
    for code in ErrorCode::ALL {
        let page = page(code.as_str())?;
        let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let example: Value =
            serde_json::from_str(example.with_context(|| format!("{code} has no example"))?)?;
        let envelope: ErrorEnvelope = serde_json::from_value(example.clone())?;
        let error = Error { field: envelope.error.field, ..Error::new(code, envelope.error.message) };
        let wanted = ErrorEnvelope::new(&error, envelope.error.request_id);
        assert_eq!(example, serde_json::to_value(wanted)?, "{code}");
    }
    Ok(())
}
