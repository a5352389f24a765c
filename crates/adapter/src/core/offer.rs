//! What is offered: the models of a provider's list that are worth it, as a registration says them.

use std::collections::BTreeSet;

use pas_types::limits;
use pas_types::registry::Labels;

use crate::profile::Listed;

/// A model that the matrix knows of this provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its name.
    pub(crate) id: String,
    /// Other names of it.
    pub(crate) aliases: Vec<String>,
}

/// What is offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// In the order in which they are registered.
    pub(crate) models: Vec<Listed>,
    /// Models for which there was no room.
    pub(crate) left_out: usize,
}

impl Offer {
    /// Of what the settings name, else of what is listed, else of what the matrix knows. What the matrix knows comes first, in
    /// its order; of the rest what converses. As many as the labels of a registration have room for.
    pub(crate) fn new(named: &[String], listed: Option<&[Listed]>, matrix: &[Known]) -> Self {
        let find = |id: &str| listed.into_iter().flatten().find(|model| model.id == id);
        let by_name = |id: &String| find(id).cloned().unwrap_or_else(|| Listed::new(id, None));
        let wanted: Vec<Listed> = match listed {
            _ if !named.is_empty() => named.iter().map(by_name).collect(),
            Some(listed) => {
                let known = matrix.iter().flat_map(|known| [&known.id].into_iter().chain(&known.aliases));
                let known: Vec<Listed> = known.filter_map(|id| find(id)).cloned().collect();
                let rest = listed.iter().filter(|model| model.converses);
                known.iter().chain(rest).cloned().collect()
            }
            None => matrix.iter().map(|known| Listed::new(&known.id, None)).collect(),
        };
        let (mut offer, mut seen) = (Self::default(), BTreeSet::new());
        let mut room = (limits::LABEL_BYTES, limits::LABEL_BYTES);
        for model in wanted {
            // Both would be read as more than one.
            if model.id.is_empty() || model.id.contains([',', '=']) || !seen.insert(model.id.clone()) {
                continue;
            }
            let needs = (model.id.len() + 1, limit(&model).map_or(0, |limit| limit.len() + 1));
            if needs.0 > room.0 || needs.1 > room.1 {
                offer.left_out += 1;
                continue;
            }
            room = (room.0 - needs.0, room.1 - needs.1);
            offer.models.push(model);
        }
        offer
    }

    /// The one model of a service, by its `name`, and the name by which its server knows it: the `wanted` one, with or without
    /// the tag that stands for none; where none is wanted, the only one that there is.
    pub(crate) fn pinned(name: &str, wanted: &str, listed: &[Listed]) -> Option<(Self, String)> {
        let is_wanted =
            |model: &&Listed| model.id == wanted || model.id.strip_suffix(":latest") == Some(wanted);
        let only = || match listed {
            [only] if wanted.is_empty() => Some(only),
            _ => None,
        };
        let found = listed.iter().find(is_wanted).or_else(only)?;
        let model = Listed { id: name.to_owned(), ..found.clone() };
        Some((Self { models: vec![model], left_out: 0 }, found.id.clone()))
    }

    /// As labels: which models, and what fits their contexts.
    pub(crate) fn label(&self, labels: &mut Labels) {
        let models: Vec<&str> = self.models.iter().map(|model| model.id.as_str()).collect();
        let limits: Vec<String> = self.models.iter().filter_map(limit).collect();
        for (name, value) in [("models", models.join(",")), ("ctx_limits", limits.join(","))] {
            if !value.is_empty() {
                labels.insert(name.to_owned(), Some(value));
            }
        }
    }
}

fn limit(model: &Listed) -> Option<String> {
    model.context.map(|tokens| format!("{}={tokens}", model.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(ids: &[&str]) -> Vec<Listed> {
        ids.iter().map(|id| Listed::new(*id, None)).collect()
    }

    fn known(id: &str, aliases: &[&str]) -> Known {
        Known { id: id.to_owned(), aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect() }
    }

    fn ids(offer: &Offer) -> Vec<&str> {
        offer.models.iter().map(|model| model.id.as_str()).collect()
    }

    #[test]
    fn what_the_matrix_knows_comes_first_and_what_does_not_converse_only_if_it_knows_it() {
        let silent = |id: &str| Listed { converses: false, ..Listed::new(id, None) };
        let listed = [listed(&["old", "b-2026", "a"]), vec![silent("speaker"), silent("embedder")]].concat();
        let matrix = [known("a", &[]), known("b", &["b-2026"]), known("gone", &[]), known("embedder", &[])];
        let offer = Offer::new(&[], Some(&listed), &matrix);
        assert_eq!(ids(&offer), ["a", "b-2026", "embedder", "old"]);
    }

    #[test]
    fn whom_nobody_lists_the_matrix_does_and_who_is_named_is_alone() {
        let matrix = [known("a", &["x"]), known("b", &[])];
        assert_eq!(ids(&Offer::new(&[], None, &matrix)), ["a", "b"]);
        let named = ["mine".to_owned(), "b".to_owned()];
        let offer = Offer::new(&named, Some(&[Listed::new("b", Some(4_096))]), &matrix);
        assert_eq!(ids(&offer), ["mine", "b"]);
        let mut labels = Labels::new();
        offer.label(&mut labels);
        let label = |name: &str| labels.get(name).cloned().flatten();
        assert_eq!(
            (label("models").as_deref(), label("ctx_limits").as_deref()),
            (Some("mine,b"), Some("b=4096"))
        );
    }

    #[test]
    fn a_registration_has_room_for_what_is_offered_and_the_rest_is_counted() {
        let names: Vec<String> = (0..1_000).map(|number| format!("organisation/model-{number}")).collect();
        let all: Vec<Listed> = names.iter().map(|name| Listed::new(name, Some(131_072))).collect();
        let offer = Offer::new(&[], Some(&all), &[]);
        let mut labels = Labels::new();
        offer.label(&mut labels);
        assert!(labels.values().flatten().all(|value| value.len() <= limits::LABEL_BYTES), "{labels:?}");
        assert_eq!(offer.models.len() + offer.left_out, 1_000);
        assert!(offer.models.len() > 100, "{}", offer.models.len());
    }

    #[test]
    fn one_model_is_found_by_the_name_that_its_server_has_for_it() {
        let served = |wanted: &str, ids: &[&str]| {
            let context = |id: &&str| Listed::new(*id, Some(8_192));
            let found = Offer::pinned("mine", wanted, &ids.iter().map(context).collect::<Vec<_>>())?;
            assert_eq!(found.0.models, [Listed::new("mine", Some(8_192))]);
            Some(found.1)
        };
        assert_eq!(served("tiny", &["other", "tiny:latest"]).as_deref(), Some("tiny:latest"));
        assert_eq!(served("llama:8b", &["other", "llama:8b"]).as_deref(), Some("llama:8b"));
        assert_eq!(served("", &["/models/x.gguf"]).as_deref(), Some("/models/x.gguf"));
        assert_eq!([served("", &["a", "b"]), served("c", &["a"])], [None, None]);
    }
}
