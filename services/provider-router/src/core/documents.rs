//! From the texts of two files to one table, or to the faults that keep them from being one.

use std::sync::Arc;

use pas_routing::{Fault, Matrix, Policies, Table};

/// Bytes of a file, and of the JSON that is made of it.
const BYTES: usize = 1024 * 1024;
/// Faults that are told one by one.
const TOLD: usize = 5;
/// Where a fault of the matrix stands; any other is one of the policies.
const OF_MATRIX: [&str; 3] = ["capabilities", "providers", "routes"];

/// What is shipped with this program, for a file that isn't there.
pub const SHIPPED: (&str, &str) = (
    include_str!("../../../../config/providers.matrix.json"),
    include_str!("../../../../config/policies.yaml"),
);

/// A file as it was found: its text, or why it can't be read.
pub type FileText = Result<String, String>;

/// Both documents, valid as a whole.
#[derive(Debug)]
pub struct Documents {
    /// What both compile to.
    pub table: Arc<Table>,
    /// The matrix.
    pub matrix: Matrix,
    /// It as JSON.
    pub matrix_json: String,
    /// The policies as JSON.
    pub policies_json: String,
}

/// Why the files don't hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Each with the file's name before its path.
    pub faults: Vec<String>,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.faults[..self.faults.len().min(TOLD)].join("; "))?;
        match self.faults.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Judges both files as a whole. `names` are what they are called in faults.
pub fn judge(names: (&str, &str), matrix: &FileText, policies: &FileText) -> Result<Documents, Rejection> {
    let of_matrix = |fault: Fault| format!("{}: {fault}", names.0);
    let of_policies = |fault: Fault| format!("{}: {fault}", names.1);
    let read = |name: &str, text: &FileText| {
        let text = text.as_ref().map_err(|why| format!("{name}: {why}"))?;
        if text.len() > BYTES {
            return Err(format!("{name}: has {} bytes: use at most {BYTES}", text.len()));
        }
        Ok(text.clone())
    };
    let matrix = read(names.0, matrix).and_then(|text| Matrix::read(text.as_bytes()).map_err(of_matrix));
    let policies = read(names.1, policies)
        .and_then(|text| as_json(&text).map_err(|why| format!("{}: {why}", names.1)))
        .and_then(|text| Policies::read(text.as_bytes()).map_err(of_policies));
    let (matrix, policies) = match (matrix, policies) {
        (Ok(matrix), Ok(policies)) => (matrix, policies),
        (matrix, policies) => {
            return Err(Rejection { faults: matrix.err().into_iter().chain(policies.err()).collect() });
        }
    };
    let table = Table::compile(&matrix, &policies).map_err(|faults| {
        let told = faults.into_iter().map(|fault| {
            let first = fault.path.split(['.', '[']).next().unwrap_or_default();
            if OF_MATRIX.contains(&first) { of_matrix(fault) } else { of_policies(fault) }
        });
        Rejection { faults: told.collect() }
    })?;
    let written = (serde_json::to_string(&matrix), serde_json::to_string(&policies));
    let (Ok(matrix_json), Ok(policies_json)) = written else {
        return Err(Rejection { faults: vec!["the documents can't be written as JSON".to_owned()] });
    };
    if matrix_json.len().max(policies_json.len()) > BYTES {
        return Err(Rejection { faults: vec![format!("as JSON, a document has more than {BYTES} bytes")] });
    }
    Ok(Documents { table: Arc::new(table), matrix, matrix_json, policies_json })
}

/// YAML as JSON, so that both documents are read by one reader, with its faults by path.
fn as_json(yaml: &str) -> Result<String, String> {
    let value: serde_json::Value = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
    Ok(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: (&str, &str) = ("m.json", "p.yaml");

    fn judged(matrix: &str, policies: &str) -> Result<Documents, Rejection> {
        judge(NAMES, &Ok(matrix.to_owned()), &Ok(policies.to_owned()))
    }

    #[test]
    fn what_is_shipped_holds_and_has_what_callers_ask_for() {
        let documents = judged(SHIPPED.0, SHIPPED.1).unwrap();
        let table = &documents.table;
        for alias in [
            "anthropic-claude",
            "openai-gpt",
            "claude-3-5-sonnet-20241022",
            "gpt-4o",
            "llama3.2",
            "codellama",
            "mistral",
        ] {
            assert!(table.model(alias).is_some(), "{alias}");
        }
        for route in ["auto", "cheap", "fast", "best", "local"] {
            assert!(table.route(route).is_some(), "{route}");
        }
        let models: usize = documents.matrix.providers.iter().map(|provider| provider.models.len()).sum();
        assert!(models <= 40, "{models} models");
        // What was handed out can be read again, and is the same.
        let again = judged(&documents.matrix_json, &documents.policies_json).unwrap();
        assert_eq!(again.table.versions(), table.versions());
    }

    #[test]
    fn a_fault_names_its_file_and_its_path() {
        let faults = |matrix: &str, policies: &str| judged(matrix, policies).unwrap_err().faults;
        let odd = SHIPPED.0.replace("\"embed\"]", "\"embed\", \"fly\"]");
        let found = faults(&odd, &SHIPPED.1.replace("default: balanced", "default: wild"));
        assert!(
            found[0].starts_with("m.json: providers[1].models[11].caps[1]: `fly` is no known"),
            "{found:?}"
        );
        assert!(found.last().unwrap().starts_with("p.yaml: default: there is no policy `wild`"), "{found:?}");
        let both = faults("{", "a: [");
        assert!(both[0].starts_with("m.json: .: the body is not valid JSON"), "{both:?}");
        assert!(both[1].starts_with("p.yaml: "), "{both:?}");
        let missing = judge(NAMES, &Err("can't be read".to_owned()), &Ok(SHIPPED.1.to_owned())).unwrap_err();
        assert_eq!(missing.faults, ["m.json: can't be read"]);
    }

    #[test]
    fn a_budget_is_refused_by_name() {
        let found =
            judged(SHIPPED.0, &format!("{}\nbudgets: {{global: {{usd: 5}}}}\n", SHIPPED.1)).unwrap_err();
        assert!(
            found.to_string().starts_with("p.yaml: budgets.global: the token governor does not exist yet")
        );
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_by_its_size() {
        let found = judged(&" ".repeat(BYTES + 1), SHIPPED.1).unwrap_err();
        assert_eq!(found.faults, ["m.json: has 1048577 bytes: use at most 1048576"]);
    }

    #[test]
    fn of_very_many_faults_a_few_are_told() {
        let rejection = Rejection { faults: (0..9).map(|number| number.to_string()).collect() };
        assert_eq!(rejection.to_string(), "0; 1; 2; 3; 4; and 4 more");
    }
}
