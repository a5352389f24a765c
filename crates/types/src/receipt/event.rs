//! A receipt as the event stream is told of it.

use std::time::Duration;

use super::{Millis, RoutingReceipt};
use crate::event::{CallTimings, Event, Receipt};
use crate::time::WireTime;

impl RoutingReceipt {
    /// When the call was over.
    pub fn ended_at(&self) -> WireTime {
        let total_ms = Duration::from_micros(self.timings_ms.total.as_micros()).as_millis();
        let total_ms = i64::try_from(total_ms).unwrap_or(i64::MAX);
        WireTime::from_millis(self.ts.as_millis().saturating_add(total_ms))
    }

    /// The event `receipt`. Its key is the call, so that the stream keeps it once.
    pub fn event(&self) -> Event {
        let ms = |time: Option<Millis>| time.map(Millis::as_millis_f64);
        let text = |text: &str| Some(text.to_owned());
        let asked = self.asked();
        let receipt = Receipt {
            call_id: self.run_id.clone(),
            status: self.status,
            route: text(&self.route),
            service: asked.and_then(|asked| text(asked.name)),
            model: asked.and_then(|asked| text(asked.model)),
            policy: self.policy.as_ref().and_then(|policy| text(&policy.name)),
            budget: self.budget.as_deref().and_then(text),
            attempts: u32::try_from(self.attempts.len()).ok(),
            usage: self.usage,
            cost: Some(self.cost_estimate.call()),
            timings_ms: Some(CallTimings {
                total: self.timings_ms.total.as_millis_f64(),
                first_token: ms(self.timings_ms.first_token),
                upstream: ms(self.timings_ms.upstream),
                overhead: ms(self.timings_ms.overhead),
            }),
            error: self.error.as_ref().map(|error| error.code),
        };
        Event {
            agent: self.agent.as_deref().map(str::to_owned),
            run_id: self.agent_run_id.clone(),
            service_id: asked.and_then(|asked| asked.service_id),
            idempotency_key: Some(self.run_id.to_string()),
            ..Event::new(self.ended_at(), receipt)
        }
    }
}
