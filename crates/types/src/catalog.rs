//! The services of PAS that exist, and where they listen unless told otherwise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// One service of PAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name in logs and on the command line, and in the registry unless it registers under one of its own.
    pub name: &'static str,
    /// Its section in `config/pas.yaml`, and the word in its metrics and environment variables.
    pub section: &'static str,
    /// Its default port.
    pub port: u16,
    /// The file name of its binary.
    pub binary: &'static str,
    /// What it is called with before any flag: one program may be several services.
    pub arguments: &'static [&'static str],
    /// The variables that hold its credentials, which no other service is to see.
    pub credentials: &'static [&'static str],
}

impl Entry {
    const fn new(name: &'static str, section: &'static str, port: u16, binary: &'static str) -> Self {
        Self { name, section, port, binary, arguments: &[], credentials: &[] }
    }

    /// One of several that a program is, each called by its name.
    const fn one_of(
        binary: &'static str,
        arguments: &'static [&'static str; 1],
        section: &'static str,
        port: u16,
    ) -> Self {
        Self { name: arguments[0], section, port, binary, arguments, credentials: &[] }
    }

    const fn with_credentials(self, credentials: &'static [&'static str]) -> Self {
        Self { credentials, ..self }
    }
}

/// The registry.
pub const REGISTRY: Entry = Entry::new("registry", "registry", 6121, "pas-registry");

/// The heartbeat monitor.
pub const HEARTBEAT_MONITOR: Entry =
    Entry::new("heartbeat-monitor", "heartbeat_monitor", 6109, "pas-heartbeat-monitor");

/// The event stream.
pub const EVENT_STREAM: Entry = Entry::new("event-stream", "event_stream", 6102, "pas-event-stream");

/// The gateway.
pub const GATEWAY: Entry = Entry::new("gateway", "gateway", 6120, "pas-gateway");

/// The provider router.
pub const PROVIDER_ROUTER: Entry =
    Entry::new("provider-router", "provider_router", 6103, "pas-provider-router");

/// The HMI: the web interface.
pub const HMI: Entry = Entry::new("hmi", "hmi", 6101, "pas-hmi");

/// The classifier. In the registry it is the model `tlc-domain-classifier`.
pub const CLASSIFIER: Entry = Entry::new("classifier", "classifier", 8052, "pas-classifier");

/// A server on this machine that has Llama 3.1 with eight billion parameters.
pub const LLAMA: Entry = local(&["llama-3.1-8b"], "llama", 8050).with_credentials(&["LLAMA_API_KEY"]);

/// A server on this machine that has TinyLlama.
pub const TINYLLAMA: Entry =
    local(&["tinyllama"], "tinyllama", 8051).with_credentials(&["TINYLLAMA_API_KEY"]);

/// The door to OpenAI.
pub const OPENAI: Entry = door(&["openai"], "openai", 8100).with_credentials(&["OPENAI_API_KEY"]);

/// The door to Anthropic.
pub const ANTHROPIC: Entry = door(&["anthropic"], "anthropic", 8101).with_credentials(&["ANTHROPIC_API_KEY"]);

/// The door to Google's Gemini.
pub const GEMINI: Entry =
    door(&["gemini"], "gemini", 8102).with_credentials(&["GEMINI_API_KEY", "GOOGLE_API_KEY"]);

/// The door to xAI's Grok.
pub const GROK: Entry = door(&["grok"], "grok", 8103).with_credentials(&["XAI_API_KEY"]);

/// The door to Hugging Face's router.
pub const HUGGINGFACE: Entry = door(&["huggingface"], "huggingface", 8104).with_credentials(&["HF_TOKEN"]);

/// The door to Ollama.
pub const OLLAMA: Entry = door(&["ollama"], "ollama", 8105).with_credentials(&["OLLAMA_API_KEY"]);

/// The door to LM Studio.
pub const LMSTUDIO: Entry = door(&["lmstudio"], "lmstudio", 8106).with_credentials(&["LMSTUDIO_API_KEY"]);

const fn local(name: &'static [&'static str; 1], section: &'static str, port: u16) -> Entry {
    Entry::one_of("pas-local-llm", name, section, port)
}

const fn door(name: &'static [&'static str; 1], section: &'static str, port: u16) -> Entry {
    Entry::one_of("pas-adapter", name, section, port)
}

/// Every service that exists, in the order in which they start.
pub const SERVICES: [Entry; 16] = [
    REGISTRY,
    EVENT_STREAM,
    HEARTBEAT_MONITOR,
    PROVIDER_ROUTER,
    GATEWAY,
    HMI,
    CLASSIFIER,
    LLAMA,
    TINYLLAMA,
    OPENAI,
    ANTHROPIC,
    GEMINI,
    GROK,
    HUGGINGFACE,
    OLLAMA,
    LMSTUDIO,
];

/// The root under which this machine reaches what listens on `address`; what listens everywhere is reached on loopback.
pub fn url_of(address: IpAddr, port: u16) -> String {
    let address = match address {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    format!("http://{}", SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_reached_on_loopback() {
        assert_eq!(url_of(Ipv4Addr::UNSPECIFIED.into(), 6121), "http://127.0.0.1:6121");
        assert_eq!(url_of(Ipv6Addr::UNSPECIFIED.into(), 6121), "http://[::1]:6121");
        assert_eq!(url_of([10, 0, 0, 7].into(), 6121), "http://10.0.0.7:6121");
    }
}
