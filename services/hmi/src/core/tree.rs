//! The agents as a tree, whatever they say of their parents.

use std::collections::BTreeMap;

use pas_types::id::ServiceId;
use pas_types::registry::{ServiceView, Status};
use pas_types::time::WireTime;
use serde::Serialize;
use utoipa::ToSchema;

/// The name of the root, which is the swarm itself.
const ROOT: &str = "swarm";

/// An agent, as far as the tree shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// Since when it is registered, and its id: the order among those of one name.
    pub registered: (WireTime, ServiceId),
    /// The name of its parent.
    pub parent: Option<String>,
    /// How the registry says that it is.
    pub health: Status,
    /// How it is and what it does, as one word.
    pub status: &'static str,
    /// Tokens in its context.
    pub ctx_used: Option<u64>,
    /// Tokens that fit.
    pub ctx_limit: Option<u64>,
}

impl From<&ServiceView> for Agent {
    fn from(view: &ServiceView) -> Self {
        let activity = view.work.as_ref().and_then(|work| work.activity);
        let usage = view.work.as_ref().and_then(|work| work.token_usage);
        let parent = view.labels.get("parent").cloned().flatten().filter(|parent| !parent.is_empty());
        Self {
            name: view.name.to_string(),
            registered: (view.registered_at, view.service_id),
            parent,
            health: view.status,
            status: match (view.paused, view.status) {
                (true, _) => "paused",
                (false, Status::Ok) => activity.map_or(Status::Ok.as_str(), |activity| activity.as_str()),
                (false, status) => status.as_str(),
            },
            ctx_used: usage.map(|usage| usage.ctx_used),
            ctx_limit: usage.map(|usage| usage.ctx_limit).or(view.ctx_limit),
        }
    }
}

/// A node of the tree, as it is answered: `children` are nodes as this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Node<'a> {
    /// The agent's name; `swarm` at the root.
    pub name: &'a str,
    /// `paused`, else `degraded` or `down` where the registry says so, else what it does, else `ok`.
    pub status: &'a str,
    /// Tokens in its context.
    pub ctx_used: Option<u64>,
    /// Tokens that fit.
    pub ctx_limit: Option<u64>,
}

/// The tree: every agent is in it once.
#[derive(Debug, PartialEq, Eq)]
pub struct Tree {
    /// By name, and those of one name in the order in which they were registered.
    agents: Vec<Agent>,
    /// The children of each, in the same order.
    children: Vec<Vec<usize>>,
    /// Those right under the root.
    top: Vec<usize>,
}

impl Tree {
    /// Puts each agent under the one that its label names: the first of that name. Who names nobody that is there is
    /// under the root, and of those that name each other in a circle, the first by name.
    pub fn new(mut agents: Vec<Agent>) -> Self {
        agents.sort_by(|a, b| (&a.name, a.registered).cmp(&(&b.name, b.registered)));
        let mut parents = parents(&agents);
        cut_circles(&mut parents);
        let mut children = vec![Vec::new(); agents.len()];
        let mut top = Vec::new();
        for (place, parent) in parents.into_iter().enumerate() {
            match parent {
                Some(parent) => children[parent].push(place),
                None => top.push(place),
            }
        }
        Self { agents, children, top }
    }

    /// How the agents are, at the worst.
    fn worst(&self) -> Status {
        self.agents.iter().map(|agent| agent.health).max().unwrap_or_default()
    }

    /// The tree as nested JSON. Written without recursion: how deep it is, whoever registers decides.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut out = Vec::new();
        let root = Node { name: ROOT, status: self.worst().as_str(), ctx_used: None, ctx_limit: None };
        open(&mut out, &root)?;
        // The children that are still to be written, of each node that is open.
        let mut open_nodes = vec![self.top.iter()];
        while let Some(rest) = open_nodes.last_mut() {
            let Some(&place) = rest.next() else {
                out.extend_from_slice(b"]}");
                open_nodes.pop();
                continue;
            };
            if out.last() == Some(&b'}') {
                out.push(b',');
            }
            let Agent { name, status, ctx_used, ctx_limit, .. } = &self.agents[place];
            let node = Node { name, status, ctx_used: *ctx_used, ctx_limit: *ctx_limit };
            open(&mut out, &node)?;
            open_nodes.push(self.children[place].iter());
        }
        Ok(out)
    }
}

/// Writes a node up to its first child.
fn open(out: &mut Vec<u8>, node: &Node<'_>) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *out, node)?;
    out.pop();
    out.extend_from_slice(b",\"children\":[");
    Ok(())
}

/// The place of each one's parent, where there is one of that name.
fn parents(agents: &[Agent]) -> Vec<Option<usize>> {
    let mut first = BTreeMap::new();
    for (place, agent) in agents.iter().enumerate() {
        first.entry(agent.name.as_str()).or_insert(place);
    }
    agents.iter().map(|agent| first.get(agent.parent.as_deref()?).copied()).collect()
}

/// Takes the parent from one member of each circle: the first by name, since places are by name.
fn cut_circles(parents: &mut [Option<usize>]) {
    // By whose walk each was come by.
    let mut walks = vec![None; parents.len()];
    for start in 0..parents.len() {
        let mut at = Some(start);
        while let Some(place) = at.filter(|place| walks[*place].is_none()) {
            walks[place] = Some(start);
            at = parents[place];
        }
        // Whoever this walk comes by twice is in a circle.
        if let Some(place) = at.filter(|place| walks[*place] == Some(start)) {
            let mut first = place;
            let mut next = parents[place];
            while let Some(member) = next.filter(|member| *member != place) {
                first = first.min(member);
                next = parents[member];
            }
            parents[first] = None;
        }
    }
}

#[cfg(test)]
mod tests;
