//! What is chosen by until the provider router was heard for the first time: no model is known, and the policies are those
//! that every caller may prefer.

use std::sync::Arc;

use pas_routing::{Matrix, Policies, Table};

/// Those policies.
pub(crate) const POLICIES: &str = r#"{"default": "balanced", "policies": {
    "balanced": {"weights": {"latency": 3, "price": 3, "locality": 1, "load": 2, "quality": 3, "dialect": 1}},
    "local": {"weights": {"locality": 12, "latency": 1, "price": 1, "load": 2, "quality": 1, "dialect": 1}},
    "cheapest": {"weights": {"price": 1}},
    "fastest": {"weights": {"latency": 8, "load": 2, "dialect": 1}},
    "best": {"weights": {"quality": 12, "latency": 1, "price": 0.5, "load": 1, "dialect": 1}}
}}"#;

/// The table of a gateway that knows nothing yet.
pub fn bare() -> anyhow::Result<Arc<Table>> {
    let policies = Policies::read(POLICIES.as_bytes()).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let table = Table::compile(&Matrix::default(), &policies);
    table.map(Arc::new).map_err(|faults| anyhow::anyhow!("{faults:?}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_of_a_gateway_that_knows_nothing_is_one() {
        super::bare().unwrap();
    }
}
