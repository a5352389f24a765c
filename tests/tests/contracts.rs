//! The contracts are what the code says, and the two ways to judge a document, by schema and by Rust type, agree.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jsonschema::Validator;
use pas_tests::checked_in;
use pas_tests::contract::{Contract, contracts, pretty};
use pas_tests::mutation::mutants;
use pas_types::Error;
use serde_json::Value;

/// A rule that the Rust type keeps and the schema can't say.
struct Unsaid {
    /// The contract that has it; none where all have it.
    contract: Option<&'static str>,
    /// What the Rust type answers, in part.
    answer: &'static str,
    /// Whether the rule is about this document and this answer.
    concerns: fn(&Value, &str) -> bool,
    /// Why the schema can't say it.
    #[expect(dead_code, reason = "for the reader; a rule without a reason does not get into the list")]
    because: &'static str,
}

const fn unsaid(contract: &'static str, answer: &'static str, because: &'static str) -> Unsaid {
    Unsaid { contract: Some(contract), answer, concerns: |_, _| true, because }
}

/// All of them. Whatever else the schema accepts, the Rust type accepts.
const UNSAID: [Unsaid; 27] = [
    Unsaid {
        contract: None,
        answer: "invalid type: floating point",
        concerns: |_, answer| quoted(answer).parse().is_ok_and(|number: f64| number.fract() == 0.0),
        because: "2.0 and 1e15 are integers in JSON Schema; a whole number is written without a point here",
    },
    Unsaid {
        contract: None,
        answer: "ports is neither a count nor a list",
        concerns: |document, _| document.to_string().contains(".0"),
        because: "as with every whole number: 2.0 is one in JSON Schema",
    },
    Unsaid {
        contract: None,
        answer: " bytes: use ",
        concerns: |document, _| !document.to_string().is_ascii(),
        because: "limits are in bytes; JSON Schema counts characters, which are more than a byte beyond ASCII",
    },
    Unsaid {
        contract: None,
        answer: "is not a time",
        concerns: |_, answer| quoted(answer).starts_with("9999-12-31"),
        because: "the calendar of `date-time` is a day longer than the one we reckon with",
    },
    unsaid("routing_receipt", "are both there, or neither", "a body has one hash, of either kind"),
    unsaid("service_registration", "can't have the role", "the legal roles depend on the type"),
    unsaid("service_registration", "url is missing", "whether there must be a url depends on the type"),
    unsaid("service_registration", "url is not a URL", "a grammar, not a pattern"),
    unsaid("service_registration", "another scheme than http", "a part of a URL"),
    unsaid("service_registration", "url carries a credential", "a part of a URL"),
    unsaid("service_registration", "has a query or a fragment", "a part of a URL"),
    unsaid("service_registration", "use at least heartbeat_interval_s", "one field against another"),
    unsaid("job_card", "a job can't wait for itself", "one field against another"),
    unsaid("job_card", "is no amount in USD", "`multipleOf` a nano-dollar is not exact in doubles"),
    unsaid("resource_request", "nothing is asked for", "one of several fields must be above zero"),
    unsaid("agent_config", "can't be its own child", "one field against another"),
    unsaid("agent_config", "can't be its own parent", "one field against another"),
    unsaid("agent_config", "can't be both parent and child", "one field against another"),
    unsaid("agent_config", "use less than hard_max_ratio", "one field against another"),
    unsaid("invoke_request", "can't have the role", "the legal roles depend on the type"),
    unsaid("invoke_request", "is for targets of type model", "one field against another"),
    unsaid("invoke_request", "is no amount in USD", "`multipleOf` a nano-dollar is not exact in doubles"),
    unsaid("routing_receipt", ".usd is ", "one field against another"),
    unsaid("routing_receipt", "is no amount in USD", "`multipleOf` a nano-dollar is not exact in doubles"),
    unsaid("event", "ahead of the clock here", "a schema has no clock"),
    unsaid("event", "cost.usd is ", "one field against another"),
    unsaid("event", "is no amount in USD", "`multipleOf` a nano-dollar is not exact in doubles"),
];

impl Unsaid {
    fn explains(&self, contract: &Contract, document: &Value, refusal: &Error) -> bool {
        self.contract.is_none_or(|name| name == contract.name)
            && refusal.message.contains(self.answer)
            && (self.concerns)(document, &refusal.message)
    }
}

/// What an answer quotes of the document.
fn quoted(answer: &str) -> &str {
    answer.split('`').nth(1).unwrap_or_default()
}

fn validator(contract: &Contract) -> Result<Validator> {
    validator_of(&contract.schema()).with_context(|| format!("the schema of {}", contract.name))
}

fn validator_of(schema: &Value) -> Result<Validator> {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    Ok(options.should_validate_formats(true).build(schema)?)
}

/// The examples of a contract that are `good` or `bad`, each by the name of its file.
fn examples(verdict: &str, contract: &Contract) -> Result<Vec<(String, Value)>> {
    let folder = format!("contracts/examples/{verdict}/{}", contract.name);
    let files = checked_in::files(&folder, ".json")?;
    ensure!(!files.is_empty(), "{folder} is empty");
    files.iter().map(|path| example(path)).collect()
}

fn example(path: &Path) -> Result<(String, Value)> {
    let text = fs::read_to_string(path)?;
    let document = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    Ok((path.display().to_string(), document))
}

/// Why the two verdicts on a document don't go together; none if they do.
fn disagreement(contract: &Contract, by_schema: &Validator, document: &Value) -> Option<String> {
    match ((contract.judge)(document), by_schema.is_valid(document)) {
        (Ok(()), true) | (Err(_), false) => None,
        (Ok(()), false) => {
            let refusal = by_schema.validate(document).err()?;
            Some(format!("the type accepts, the schema says: {refusal}"))
        }
        (Err(refusal), true) => UNSAID
            .iter()
            .all(|rule| !rule.explains(contract, document, &refusal))
            .then(|| format!("the schema accepts, the type says: {refusal}")),
    }
}

#[test]
fn the_schemas_that_are_checked_in_are_what_the_types_say() -> Result<()> {
    for contract in contracts() {
        checked_in::hold(&format!("contracts/{}", contract.file_name()), &pretty(contract.schema()))?;
    }
    let found = fs::read_dir(checked_in::root().join("contracts"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".schema.json"))
        .collect::<BTreeSet<_>>();
    let wanted = contracts().iter().map(Contract::file_name).collect::<BTreeSet<_>>();
    assert_eq!(found, wanted, "a schema without a type");
    Ok(())
}

#[test]
fn good_examples_are_accepted_by_schema_and_by_type() -> Result<()> {
    for contract in contracts() {
        let by_schema = validator(&contract)?;
        for (name, document) in examples("good", &contract)? {
            assert_eq!((contract.judge)(&document), Ok(()), "{name}");
            let refusal = by_schema.validate(&document).err().map(|error| error.to_string());
            assert_eq!(refusal, None, "{name}");
        }
    }
    Ok(())
}

#[test]
fn bad_examples_are_refused_by_the_type_and_by_the_schema_where_it_can_say_why() -> Result<()> {
    for contract in contracts() {
        let by_schema = validator(&contract)?;
        for (name, document) in examples("bad", &contract)? {
            assert!((contract.judge)(&document).is_err(), "{name} is accepted");
            assert_eq!(disagreement(&contract, &by_schema, &document), None, "{name}");
        }
    }
    Ok(())
}

#[test]
fn every_rule_that_a_schema_cannot_say_has_a_bad_example() -> Result<()> {
    let contracts = contracts();
    for rule in UNSAID {
        let mut shown = false;
        for contract in &contracts {
            let by_schema = validator(contract)?;
            shown |= examples("bad", contract)?.iter().any(|(_, document)| {
                let refusal = (contract.judge)(document).err();
                by_schema.is_valid(document)
                    && refusal.is_some_and(|refusal| rule.explains(contract, document, &refusal))
            });
        }
        assert!(shown, "no bad example shows `{}`", rule.answer);
    }
    Ok(())
}

#[test]
fn schema_and_type_agree_on_whatever_is_one_step_from_a_good_example() -> Result<()> {
    let mut disagreements = Vec::new();
    for contract in contracts() {
        let by_schema = validator(&contract)?;
        let (mut accepted, mut refused) = (0, 0);
        for (name, document) in examples("good", &contract)? {
            for mutant in mutants(&document) {
                match by_schema.is_valid(&mutant.document) {
                    true => accepted += 1,
                    false => refused += 1,
                }
                if let Some(why) = disagreement(&contract, &by_schema, &mutant.document) {
                    disagreements.push(format!("{name}, {}: {why}", mutant.what));
                }
            }
        }
        assert!(
            accepted >= 100 && refused >= 100,
            "{}: {accepted} accepted, {refused} refused",
            contract.name
        );
    }
    let some = disagreements.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(disagreements.is_empty(), "{} disagreements, such as\n{some}", disagreements.len());
    Ok(())
}

#[test]
fn every_field_of_a_contract_appears_in_a_good_example() -> Result<()> {
    for contract in contracts() {
        let examples = examples("good", &contract)?;
        for shape in contract.shapes() {
            let is_shape = validator_of(&shape)?;
            let wanted = shape["properties"].as_object().context("a shape is an object")?.keys().cloned();
            let found = examples
                .iter()
                .filter(|(_, document)| is_shape.is_valid(document))
                .filter_map(|(_, document)| document.as_object())
                .flat_map(|document| document.keys().cloned())
                .collect::<BTreeSet<_>>();
            assert_eq!(found, wanted.collect(), "{}: {}", contract.name, shape["description"]);
        }
    }
    Ok(())
}
