use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn agent(name: &str, since: i64, parent: Option<&str>) -> Agent {
    Agent {
        name: name.to_owned(),
        registered: (WireTime::from_millis(since), ServiceId(uuid::Uuid::from_u128(since as u128))),
        parent: parent.map(str::to_owned),
        health: Status::Ok,
        status: "ok",
        ctx_used: None,
        ctx_limit: None,
    }
}

/// The shape of a tree: each node as `name(children)`.
fn shape(tree: &Tree) -> String {
    fn of(node: &Value) -> String {
        let children: Vec<_> = node["children"].as_array().unwrap().iter().map(of).collect();
        format!("{}({})", node["name"].as_str().unwrap(), children.join(" "))
    }
    of(&serde_json::from_slice(&tree.to_json().unwrap()).unwrap())
}

fn tree(agents: &[(&str, Option<&str>)]) -> String {
    let agents = agents.iter().enumerate().map(|(at, (name, parent))| agent(name, at as i64, *parent));
    shape(&Tree::new(agents.collect()))
}

#[test]
fn agents_are_under_whom_they_name_sorted_by_name() {
    let agents = [("c", Some("a")), ("b", Some("a")), ("a", None), ("d", Some("b")), ("e", Some("nobody"))];
    assert_eq!(tree(&agents), "swarm(a(b(d()) c()) e())");
    assert_eq!(tree(&[]), "swarm()");
}

#[test]
fn a_circle_is_cut_at_its_first_member() {
    assert_eq!(
        tree(&[("c", Some("b")), ("b", Some("a")), ("a", Some("c")), ("d", Some("c"))]),
        "swarm(a(b(c(d()))))"
    );
    assert_eq!(tree(&[("a", Some("a"))]), "swarm(a())");
    assert_eq!(tree(&[("b", Some("c")), ("c", Some("b")), ("a", Some("c"))]), "swarm(b(c(a())))");
}

#[test]
fn of_several_agents_of_one_name_the_first_has_the_children() {
    let agents =
        vec![agent("a", 5, None), agent("a", 3, Some("b")), agent("b", 4, None), agent("c", 1, Some("a"))];
    assert_eq!(shape(&Tree::new(agents)), "swarm(a() b(a(c())))");
    // Who names its own name is under the first of it.
    assert_eq!(tree(&[("a", None), ("a", Some("a"))]), "swarm(a(a()))");
}

#[test]
fn the_root_is_as_well_as_the_worst_agent() {
    let down = Agent {
        health: Status::Down,
        status: "down",
        ctx_used: Some(7),
        ctx_limit: Some(9),
        ..agent("b", 2, None)
    };
    let tree = Tree::new(vec![agent("a", 1, Some("b")), down]);
    let told: Value = serde_json::from_slice(&tree.to_json().unwrap()).unwrap();
    let a = json!({"name": "a", "status": "ok", "ctx_used": null, "ctx_limit": null, "children": []});
    let b = json!({"name": "b", "status": "down", "ctx_used": 7, "ctx_limit": 9, "children": [a]});
    let root =
        json!({"name": "swarm", "status": "down", "ctx_used": null, "ctx_limit": null, "children": [b]});
    assert_eq!(told, root);
    let none: Value = serde_json::from_slice(&Tree::new(Vec::new()).to_json().unwrap()).unwrap();
    assert_eq!(none["status"], "ok");
}

#[test]
fn a_tree_of_any_depth_is_written() {
    let names: Vec<_> = (0..20_000).map(|n| format!("{n:05}")).collect();
    let agents = names
        .iter()
        .enumerate()
        .map(|(at, name)| agent(name, at as i64, at.checked_sub(1).map(|above| names[above].as_str())));
    let json = Tree::new(agents.collect()).to_json().unwrap();
    assert!(json.ends_with(&[b"]}".repeat(20_001).as_slice()].concat()));
}

proptest! {
    #[test]
    fn every_agent_is_in_the_tree_once_whatever_the_parents(
        agents in prop::collection::vec((0_u8..8, prop::option::of(0_u8..10)), 0..40),
    ) {
        let agents: Vec<_> = agents
            .iter()
            .enumerate()
            .map(|(at, (name, parent))| agent(&name.to_string(), at as i64, parent.map(|it| it.to_string()).as_deref()))
            .collect();
        let mut names: Vec<_> = agents.iter().map(|agent| agent.name.clone()).collect();
        let tree: Value = serde_json::from_slice(&Tree::new(agents).to_json().unwrap()).unwrap();
        let mut found = Vec::new();
        let mut open = tree["children"].as_array().unwrap().clone();
        while let Some(node) = open.pop() {
            found.push(node["name"].as_str().unwrap().to_owned());
            let children = node["children"].as_array().unwrap();
            prop_assert!(children.is_sorted_by_key(|child| child["name"].as_str().unwrap().to_owned()));
            open.extend(children.iter().cloned());
        }
        names.sort();
        found.sort();
        prop_assert_eq!(found, names);
    }
}
