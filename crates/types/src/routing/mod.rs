//! The words of routing, and the wire types of the provider router.

mod router;

pub use router::{
    CandidateView, ExcludedView, MatrixView, PoliciesView, PolicyView, PriceView, PricesView, RateView,
    RefusalView, RouteAnswer, RouteRequest, Versions, Weights,
};

use crate::word::words;

words! {
    /// How a request and its answer are spelled on the wire.
    Dialect, "dialect" {
        /// PAS's own: any JSON to `/invoke`.
        Pas = "pas",
        /// `/v1/chat/completions`.
        OpenaiChat = "openai.chat",
        /// `/v1/responses`.
        OpenaiResponses = "openai.responses",
        /// `/v1/embeddings`.
        OpenaiEmbeddings = "openai.embeddings",
        /// `/v1/messages`.
        AnthropicMessages = "anthropic.messages",
        /// `:generateContent` and `:streamGenerateContent`.
        GeminiGenerate = "gemini.generate",
        /// `/api/chat` of Ollama.
        OllamaChat = "ollama.chat",
    }
}

words! {
    /// Where a model runs.
    Locality, "locality" {
        /// On this machine.
        Local = "local",
        /// Elsewhere.
        External = "external",
    }
}

words! {
    /// How good a model's answers are. Ordered from the least.
    Tier, "tier" {
        /// Good enough for simple tasks.
        Light = "light",
        /// Good enough for most tasks.
        Standard = "standard",
        /// Among the best.
        Strong = "strong",
    }
}

words! {
    /// What a provider does with what it is sent. Ordered from the most careful.
    DataPolicy, "data policy" {
        /// Nothing leaves the machine.
        Stays = "stays",
        /// It leaves the machine; nobody trains on it.
        NoTraining = "no_training",
        /// Somebody may train on it.
        MayTrain = "may_train",
        /// Nobody has said.
        Unknown = "unknown",
    }
}

words! {
    /// What is kept of a call's content.
    #[derive(Default)]
    Privacy, "privacy" {
        /// Its hash and length.
        #[default]
        Metadata = "metadata",
        /// All of it.
        Full = "full",
    }
}

words! {
    /// What may be done to a request whose target speaks another dialect.
    #[derive(Default)]
    Translate, "translation" {
        /// Nothing: such a target is no candidate.
        Never = "never",
        /// Translate it where nothing is lost.
        Lossless = "lossless",
        /// Translate it, and note what is lost.
        #[default]
        Allow = "allow",
    }
}

words! {
    /// What is done with an answer that a provider's content filter refused.
    #[derive(Default)]
    ContentFilter, "handling of content filters" {
        /// It is returned as it is.
        #[default]
        Return = "return",
        /// The next candidate is asked.
        NextCandidate = "next_candidate",
    }
}

words! {
    /// Whose calls a limit counts together.
    LimitedBy, "subject of a limit" {
        /// Those of a caller.
        Caller = "caller",
        /// Those to a service.
        Service = "service",
        /// Those to a model, whichever service has it.
        Model = "model",
        /// All.
        Global = "global",
    }
}

words! {
    /// The stretch of time that a limit is about.
    Window, "window" {
        /// A second.
        Second = "second",
        /// 60 of them.
        Minute = "minute",
        /// 60 minutes.
        Hour = "hour",
        /// 24 hours.
        Day = "day",
    }
}

impl Window {
    /// Its length.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

words! {
    /// Why something is no candidate for a call. Ordered from what is farthest from being one.
    Exclusion, "reason of exclusion" {
        /// It serves other models.
        Model = "model",
        /// It lacks a capability.
        Caps = "caps",
        /// It is the caller itself.
        Caller = "caller",
        /// It has another role.
        Role = "role",
        /// It has other labels.
        Labels = "labels",
        /// It can't be called: it has no address.
        Url = "url",
        /// The policy keeps to other providers, or to this machine.
        Policy = "policy",
        /// What its provider does with data is not allowed.
        Data = "data",
        /// It speaks another dialect.
        Dialect = "dialect",
        /// The request doesn't fit its context.
        Context = "context",
        /// It can't answer at such length.
        Output = "output",
        /// It costs too much, or nobody knows what it costs.
        Price = "price",
        /// It was tried already.
        Tried = "tried",
        /// It is paused.
        Paused = "paused",
        /// It is down.
        Status = "status",
        /// It takes longer than there is time.
        Latency = "latency",
        /// Its provider refuses the credential.
        Credential = "credential",
        /// Nothing is left to be spent with its provider.
        Spent = "spent",
        /// It failed too often, and is left alone for a while.
        Breaker = "breaker",
        /// It asked to be left alone for a while.
        CoolDown = "cool_down",
        /// A limit on calls is reached.
        RateLimit = "rate_limit",
        /// It is busy with as many calls as it takes.
        InUse = "in_use",
    }
}

impl Exclusion {
    /// Whether it may be over some time later, for the same request.
    pub const fn passes(self) -> bool {
        matches!(
            self,
            Self::Paused
                | Self::Status
                | Self::Latency
                | Self::Credential
                | Self::Spent
                | Self::Breaker
                | Self::CoolDown
                | Self::RateLimit
                | Self::InUse
        )
    }
}
