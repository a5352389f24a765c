//! The models: scripted providers in this process, which are stocked with answers, or with errors while they ail.

use pas_testkit::provider::{Options, Provider, Script};
use pas_types::registry::{Registration, Role, ServiceType};

use crate::core::Dice;
use crate::presence::registration;
use crate::story::{self, Model};

/// Answers that lie ready: more than are asked for between two looks.
const STOCK: usize = 24;
/// The wait that a model names which is asked too much.
const RETRY_AFTER_S: u64 = 3;
/// What a model can be asked in.
const DIALECTS: &str = "openai.chat,openai.responses,anthropic.messages,gemini.generate";

/// The provider of one model.
#[derive(Debug)]
pub(crate) struct Played {
    provider: Provider,
    model: &'static Model,
    ails: Option<u16>,
    dice: Dice,
}

impl Played {
    pub(crate) fn start(model: &'static Model, seed: u64) -> anyhow::Result<Self> {
        // Nobody looks at what was asked.
        let provider = Provider::with(Options { keep: 0, ..Options::default() })?;
        let mut played = Self { provider, model, ails: None, dice: Dice::new(seed) };
        played.look(None);
        Ok(played)
    }

    /// How it is known to the registry.
    pub(crate) fn registration(&self) -> Registration {
        let labels = [
            ("provider", "demo"),
            ("locality", self.model.locality),
            ("dialects", DIALECTS),
            ("health_path", "/health"),
        ];
        let caps = ["infer", "chat"].map(str::to_owned).to_vec();
        Registration {
            url: Some(self.provider.url()),
            caps,
            ctx_limit: Some(self.model.ctx_limit),
            cost_hint_usd_per_1k: self.model.usd_per_1k,
            ..registration(self.model.name, ServiceType::Model, Role::Production, &labels)
        }
    }

    /// Sees to its stock; `ails` is the status with which it answers instead.
    pub(crate) fn look(&mut self, ails: Option<u16>) {
        if ails != self.ails {
            self.provider.clear();
            self.ails = ails;
            if let Some(status) = ails {
                self.provider.script(ailing(status));
            }
        }
        if ails.is_none() {
            for _ in self.provider.waiting()..STOCK {
                self.provider.script(answer(self.model, &mut self.dice));
            }
        }
    }

    /// Ends it, and every answer that is under way.
    pub(crate) async fn stop(self) {
        self.provider.stop().await;
    }
}

fn ailing(status: u16) -> Script {
    let retry_after_s = (status == 429).then_some(RETRY_AFTER_S);
    Script { retry_after_s, head_ms: 80, ..Script::status(status) }.forever()
}

fn answer(model: &Model, dice: &mut Dice) -> Script {
    let text = dice.one_of(&story::SAID).unwrap_or_default();
    Script {
        head_ms: dice.within(model.begins_ms),
        chunks: Some(dice.within((10, 20)) as usize),
        gap_ms: dice.within((30, 90)),
        input_tokens: dice.within((400, 5_000)),
        output_tokens: dice.within((60, 700)),
        ..Script::text(text)
    }
}
