//! Which service calls which, read off the code.
//!
//! What a service calls stands in its `src/client.rs` or below `src/client/`; what every service but the registry calls,
//! in the chassis's `presence.rs`; what those call that publish, in its `publisher`, and those that follow what is registered,
//! in its `fleet`; what a door to a provider calls, in the adapter's `client`. A path comes from a constant of
//! `pas_types::<module>::path`, where the module has the words of one service, and the documentation of the constant begins
//! with its method; a gRPC client from `pas_proto::<area>::v1`. Whoever writes it otherwise isn't seen here, so outgoing
//! clients are found, and refused, wherever else they stand.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::checked_in::{files, root};

/// What opens a connection to another process.
const OUTGOING: [&str; 4] = ["reqwest::", "tonic::transport", "hyper_util::client", "pas_service::client"];

/// By this a service publishes.
const PUBLISHES: &str = "publisher::spawn(";

/// By these a service follows what is registered.
const FOLLOWS: [&str; 2] = ["fleet::spawn(", "fleet::follow("];

/// By this services are doors to somebody who answers for models.
const IS_DOOR: &str = "pas_adapter::run(";

/// The map, as it is checked in.
pub fn map() -> Result<String> {
    let words = Vocabulary::read()?;
    let publishing = words.calls(&read(&root().join("crates/service/src/publisher/link.rs"))?)?;
    let following = words.calls(&read(&root().join("crates/service/src/fleet/link.rs"))?)?;
    let mut door = words.calls(&read(&root().join("crates/adapter/src/client/matrix.rs"))?)?;
    door.insert("its provider: its url".to_owned());
    let presence = words.calls(&read(&root().join("crates/service/src/presence.rs"))?)?;
    let mut lines = vec![
        "# Which service calls which. Generated from the code, and held against it, by pas-tests.".to_owned(),
    ];
    lines.extend(presence.iter().map(|call| format!("every service but the registry -> {call}")));
    for service in services()? {
        let mut calls = BTreeSet::new();
        for source in sources(&service)? {
            if source.is_client() {
                calls.extend(words.calls(&source.text).with_context(|| source.path.clone())?);
            }
            if source.text.contains(PUBLISHES) {
                calls.extend(publishing.iter().cloned());
            }
            if source.text.contains(IS_DOOR) {
                calls.extend(door.iter().cloned());
            }
            if FOLLOWS.iter().any(|follows| source.text.contains(follows)) {
                calls.extend(following.iter().cloned());
            }
        }
        lines.extend(calls.iter().map(|call| format!("{service} -> {call}")));
    }
    Ok(lines.join("\n") + "\n")
}

/// The places outside a client where a service could call another: file, and what it uses.
pub fn strays() -> Result<Vec<(String, &'static str)>> {
    let mut strays = Vec::new();
    for service in services()? {
        for source in sources(&service)?.iter().filter(|source| !source.is_client()) {
            strays.extend(outgoing(&source.text).map(|token| (source.path.clone(), token)));
        }
    }
    Ok(strays)
}

/// Every route that has a constant.
pub fn routes() -> Result<Vec<Route>> {
    let mut routes = Vec::new();
    for file in files("crates/types/src", ".rs")? {
        if let Some((_, module)) = read(&file)?.split_once("pub mod path {") {
            routes.extend(constants(&module_name(&file), module)?);
        }
    }
    Ok(routes)
}

/// The names of the services, as their folders say.
fn services() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("services")).context("listing services")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

struct Source {
    /// Below the service's `src`.
    path: String,
    text: String,
}

impl Source {
    fn is_client(&self) -> bool {
        self.path == "client.rs" || self.path.starts_with("client/")
    }
}

fn sources(service: &str) -> Result<Vec<Source>> {
    let folder = format!("services/{service}/src");
    let below = root().join(&folder);
    let source = |path: &Path| {
        let name = path.strip_prefix(&below).unwrap_or(path).to_string_lossy().into_owned();
        Ok(Source { path: name, text: read(path)? })
    };
    files(&folder, ".rs")?.iter().map(|path| source(path)).collect()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn outgoing(text: &str) -> impl Iterator<Item = &'static str> {
    OUTGOING.into_iter().filter(move |token| text.contains(token))
}

/// What can be called, and how it is written.
#[derive(Debug)]
struct Vocabulary {
    routes: Vec<Route>,
    rpcs: Vec<Rpc>,
}

/// A constant of a `path` module: a route of a service.
#[derive(Debug, PartialEq)]
pub struct Route {
    /// The module of `pas_types` that has it, which is named after the service.
    pub owner: String,
    /// The name of the constant.
    pub name: String,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
}

/// A method of a gRPC service.
#[derive(Debug, PartialEq)]
struct Rpc {
    area: String,
    service: String,
    name: String,
}

impl Vocabulary {
    fn read() -> Result<Self> {
        let mut rpcs = Vec::new();
        for file in files("contracts/proto", ".proto")? {
            rpcs.extend(declared(&read(&file)?));
        }
        Ok(Self { routes: routes()?, rpcs })
    }

    /// What the code of a client calls, each as `service: method path`.
    fn calls(&self, text: &str) -> Result<BTreeSet<String>> {
        let mut calls = BTreeSet::new();
        for (place, _) in text.match_indices("path::") {
            let name = leading(&text[place + "path::".len()..], |c| c.is_alphanumeric() || c == '_');
            if name.is_empty() || name.contains(char::is_lowercase) {
                continue;
            }
            let owner = self.owner(text, &text[..place])?;
            let route = self.routes.iter().find(|route| route.owner == owner && route.name == name);
            let route = route.with_context(|| format!("pas_types::{owner}::path has no {name}"))?;
            calls.insert(format!("{}: {} {}", kebab(server(&owner)), route.method, route.path));
        }
        for rpc in &self.rpcs {
            let client = format!("pas_proto::{}::v1::{}_client", rpc.area, rpc.service.to_lowercase());
            if text.contains(&client) && text.contains(&format!(".{}(", rpc.name.to_lowercase())) {
                calls.insert(format!("{}: grpc {}/{}", kebab(server(&rpc.area)), rpc.service, rpc.name));
            }
        }
        if text.contains("reqwest::") {
            calls.insert("whatever is registered: its url".to_owned());
        }
        Ok(calls)
    }

    /// Whose `path` is meant: the module that is written before it, else the only one that the file imports.
    fn owner(&self, text: &str, before: &str) -> Result<String> {
        let owners = self.routes.iter().map(|route| route.owner.as_str()).collect::<BTreeSet<_>>();
        if let Some(owner) = owners.iter().find(|owner| before.ends_with(&format!("{owner}::"))) {
            return Ok((*owner).to_owned());
        }
        let imported: Vec<_> = owners.iter().filter(|owner| imports_path(text, owner)).collect();
        ensure!(imported.len() == 1, "say whose path it is, as `registry::path::REGISTER`");
        Ok((*imported[0]).to_owned())
    }
}

/// Whether a file imports the `path` of a module of `pas_types`.
fn imports_path(text: &str, module: &str) -> bool {
    let import = format!("use pas_types::{module}::");
    text.split(&import).skip(1).any(|rest| {
        let names = rest.split(';').next().unwrap_or_default();
        names.split(|c: char| !c.is_alphanumeric() && c != '_').any(|name| name == "path")
    })
}

/// The constants of a `path` module, each with the method that its documentation begins with.
fn constants(owner: &str, module: &str) -> Result<Vec<Route>> {
    let mut routes = Vec::new();
    let mut method = None;
    for line in module.lines().map(str::trim).take_while(|line| *line != "}") {
        if let Some(documentation) = line.strip_prefix("/// ") {
            method = documentation
                .strip_prefix('`')
                .and_then(|rest| rest.split_once("`:"))
                .map(|(method, _)| method);
        } else if let Some(constant) = line.strip_prefix("pub const ") {
            let (name, path) =
                constant.split_once(": &str = ").with_context(|| format!("not a path: {line}"))?;
            let method =
                method.take().with_context(|| format!("{name} doesn't say its method, as `POST`:"))?;
            let path = path.trim_matches(|c| c == '"' || c == ';');
            routes.push(Route {
                owner: owner.to_owned(),
                name: name.to_owned(),
                method: method.to_owned(),
                path: path.to_owned(),
            });
        }
    }
    Ok(routes)
}

/// The methods that a proto file declares.
fn declared(proto: &str) -> Vec<Rpc> {
    let mut rpcs = Vec::new();
    let (mut area, mut service) = ("", "");
    for line in proto.lines().map(str::trim) {
        if let Some(package) = line.strip_prefix("package pas.") {
            area = leading(package, |c| c != '.');
        } else if let Some(rest) = line.strip_prefix("service ") {
            service = leading(rest, char::is_alphanumeric);
        } else if let Some(rest) = line.strip_prefix("rpc ") {
            let name = leading(rest, char::is_alphanumeric);
            rpcs.push(Rpc { area: area.to_owned(), service: service.to_owned(), name: name.to_owned() });
        }
    }
    rpcs
}

/// The module that a file of `pas_types` is.
fn module_name(file: &Path) -> String {
    let named = if file.ends_with("mod.rs") { file.parent().unwrap_or(file) } else { file };
    named.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn leading(text: &str, is_part: impl Fn(char) -> bool) -> &str {
    text.split(|c| !is_part(c)).next().unwrap_or_default()
}

/// The service that serves an area of the protocol, or the paths of a module of `pas_types`, by the name of its section.
pub fn server(area: &str) -> &str {
    match area {
        "events" | "event" => "event_stream",
        "routing" => "provider_router",
        "receipt" | "flight" => "gateway",
        "alert" => "heartbeat_monitor",
        "health" => "control_plane",
        area => area,
    }
}

fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: &str = "
        /// `POST`: a service says that it exists.
        pub const REGISTER: &str = \"/register\";
        /// `GET`: who is there.
        pub const DISCOVER: &str = \"/discover\";
    }
    pub const ELSEWHERE: &str = \"/elsewhere\";";
    const PROTO: &str = "
        package pas.registry.v1;
        service Registry {
          // What exists.
          rpc Watch(WatchRequest) returns (stream WatchResponse);
          rpc Follow(FollowRequest) returns (stream FollowResponse);
        }";

    fn words() -> Vocabulary {
        Vocabulary { routes: constants("registry", PATHS).unwrap(), rpcs: declared(PROTO) }
    }

    fn calls(text: &str) -> Vec<String> {
        words().calls(text).unwrap().into_iter().collect()
    }

    #[test]
    fn a_path_has_the_method_that_its_documentation_begins_with() {
        let route = |name: &str, method: &str, path: &str| Route {
            owner: "registry".to_owned(),
            name: name.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
        };
        let wanted = [route("REGISTER", "POST", "/register"), route("DISCOVER", "GET", "/discover")];
        assert_eq!(constants("registry", PATHS).unwrap(), wanted);
        assert!(
            constants("registry", "/// Who is there.\npub const DISCOVER: &str = \"/discover\";").is_err()
        );
    }

    #[test]
    fn a_call_by_path_is_on_the_map() {
        let imported = "use pas_types::registry::{Registration, path};\n call(Method::POST, path::REGISTER)";
        assert_eq!(calls(imported), ["registry: POST /register"]);
        let qualified = "use pas_types::{registry, router};\n get(registry::path::DISCOVER)";
        assert_eq!(calls(qualified), ["registry: GET /discover"]);
    }

    #[test]
    fn a_path_of_nobody_in_particular_is_refused() {
        assert!(words().calls("post(path::REGISTER)").is_err());
        assert!(words().calls("use pas_types::registry::path; post(path::RENEW)").is_err());
    }

    #[test]
    fn whose_path_it_is_the_import_of_it_says() {
        let two = "use pas_types::health::Health;\nuse pas_types::registry::{Status, path};";
        assert!(imports_path(two, "registry") && !imports_path(two, "health"));
    }

    #[test]
    fn a_call_by_grpc_is_on_the_map() {
        let client = "use pas_proto::registry::v1::registry_client::RegistryClient;";
        assert_eq!(calls(&format!("{client} self.client.watch(request)")), ["registry: grpc Registry/Watch"]);
        assert_eq!(calls("watchers.watch(request)"), [""; 0]);
    }

    #[test]
    fn what_only_looks_like_a_path_is_not_on_the_map() {
        assert_eq!(calls("use std::path::PathBuf; #[utoipa::path(get, path = \"/x\")]"), [""; 0]);
    }

    #[test]
    fn an_outgoing_client_is_found() {
        assert_eq!(outgoing("let client = reqwest::Client::new();").collect::<Vec<_>>(), ["reqwest::"]);
        assert_eq!(outgoing("use pas_service::clock;").count(), 0);
    }
}
