use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Demo {
    /// The port.
    port: u16,
    /// Seconds.
    sweep_s: f64,
    names: Vec<String>,
    brake: Brake,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Brake {
    share: f64,
    window_s: u64,
}

impl Default for Demo {
    fn default() -> Self {
        Self { port: 6121, sweep_s: 0.5, names: Vec::new(), brake: Brake::default(), note: None }
    }
}

impl Default for Brake {
    fn default() -> Self {
        Self { share: 0.15, window_s: 10 }
    }
}

fn load(file: Option<&str>, environment: &[(&str, &str)], flags: &[&str]) -> Result<Settings<Demo>, String> {
    let directory = tempfile::tempdir().unwrap();
    let mut arguments: Vec<OsString> = vec!["pas-registry".into()];
    let path = directory.path().join("pas.yaml");
    if let Some(text) = file {
        std::fs::write(&path, text).unwrap();
        arguments.extend(["--config".into(), path.clone().into()]);
    }
    arguments.extend(flags.iter().map(OsString::from));
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let validate = |demo: &Demo| match demo.port {
        0..=1023 => Err(Error::invalid("port", "port is reserved: use 1024 or more")),
        _ => Ok(()),
    };
    load_from(&catalog::REGISTRY, validate, &Sources { arguments, environment })
        .map_err(|error| error.to_string().replace(&path.display().to_string(), "pas.yaml"))
}

#[test]
fn each_layer_overrides_the_one_below() {
    let file = "swarm:\n  grace_s: 3\nregistry:\n  port: 7001\n  sweep_s: 1\n  brake: {share: 0.3}\n";
    let environment = [
        ("PAS_REGISTRY__SWEEP_S", "2"),
        ("PAS_REGISTRY__BRAKE__WINDOW_S", "20"),
        ("PAS_HEARTBEAT_MONITOR__X", "1"),
        ("PAS_OTHER", "1"),
    ];
    let settings =
        load(Some(file), &environment, &["--sweep-s", "3", "--names", "a,b", "--log-file", "/x"]).unwrap();
    let service = Demo {
        port: 7001,
        sweep_s: 3.0,
        names: vec!["a".into(), "b".into()],
        brake: Brake { share: 0.3, window_s: 20 },
        note: None,
    };
    let swarm = Swarm { grace_s: 3, log_file: Some("/x".into()), ..Swarm::default() };
    assert_eq!(settings, Settings { swarm, service });
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_key() {
    let refused = |file| load(Some(file), &[], &[]).unwrap_err();
    assert_eq!(
        refused("registry:\n  port: 7001\n  sweeps_s: 1\n"),
        "pas.yaml:3: unknown key `sweeps_s`, did you mean `sweep_s`?"
    );
    assert_eq!(
        refused("registry:\n  brake:\n    windows: 1\n"),
        "pas.yaml:3: unknown key `windows`, did you mean `window_s`?"
    );
    assert_eq!(
        refused("registri:\n  port: 1\n"),
        "pas.yaml:1: unknown section `registri`, did you mean `registry`?"
    );
}

#[test]
fn an_unknown_variable_is_refused_by_name() {
    assert_eq!(
        load(None, &[("PAS_REGISTRY__PROT", "1")], &[]).unwrap_err(),
        "PAS_REGISTRY__PROT: unknown key `registry.prot`, did you mean `registry.port`?"
    );
    assert_eq!(
        load(None, &[("PAS_REGISTRI__PORT", "1")], &[]).unwrap_err(),
        "PAS_REGISTRI__PORT: unknown section `registri`, did you mean `registry`?"
    );
}

#[test]
fn a_wrong_value_is_refused_with_its_origin() {
    assert_eq!(
        load(Some("registry:\n\n  port: many\n"), &[], &[]).unwrap_err(),
        "pas.yaml:3: registry.port: invalid type: string \"many\", expected a whole number from 0 to 65535"
    );
    assert_eq!(
        load(None, &[], &["--port", "80"]).unwrap_err(),
        "--port: registry: port is reserved: use 1024 or more"
    );
}

#[test]
fn an_address_that_others_can_reach_is_refused_unless_that_is_accepted() {
    let error = load(None, &[], &["--bind", "127.0.0.1,0.0.0.0"]).unwrap_err();
    assert!(error.starts_with("--bind: swarm: 0.0.0.0 can be reached by other machines"), "{error}");
    load(None, &[], &["--bind", "0.0.0.0", "--insecure-bind"]).unwrap();
}

#[test]
fn what_is_printed_can_be_read_back() {
    let printed = load(None, &[], &["--print-config", "--sweep-s", "7"]).unwrap_err();
    let again = load(Some(&printed), &[], &[]).unwrap();
    assert_eq!(again.service, Demo { sweep_s: 7.0, ..Demo::default() });
    assert_eq!(again.swarm, Swarm::default());
}

#[test]
fn a_setting_that_would_fail_later_is_refused_at_once() {
    for (flag, value) in [
        ("--grace-s", "18446744073709551615"),
        ("--log-max-mb", "18446744073709551615"),
        ("--log", "no=such=x"),
        ("--registry-url", "http://a b"),
        ("--registry-url", "http://user:secret@localhost:1"),
        ("--limits-connections", "0"),
    ] {
        let error = load(None, &[], &[flag, value]).unwrap_err();
        assert!(error.starts_with(flag), "{flag} {value}: {error}");
    }
}
