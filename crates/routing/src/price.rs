//! What a call costs, in whole nano-dollars.

use pas_types::event::{CallCost, CallUsage, CostState, UsageSource};
use pas_types::money::NanoUsd;

use crate::matrix;

const MILLION: u128 = 1_000_000;
/// Nano-dollars for a million tokens, when a dollar is asked for a thousand.
const HINT: f64 = 1e9 * 1_000.0;

/// How the tokens of a candidate are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// It runs on this machine and nobody asks for money.
    Free,
    /// The matrix knows it.
    Listed(Listed),
    /// Its service roughly says: nano-dollars for a million tokens of whatever kind.
    Hint(u64),
    /// Nobody has said, which is not nothing.
    Unknown,
}

/// Prices of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Of requests as they mostly are.
    base: Rates,
    /// Of requests with more tokens than this.
    above: Option<(u64, Rates)>,
}

/// Nano-dollars for a million tokens of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rates {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
}

impl Rates {
    fn of(rates: &matrix::Rates) -> Self {
        let nanos = |rate: Option<NanoUsd>| rate.map(NanoUsd::as_nanos);
        Self {
            input: nanos(rates.input),
            output: nanos(rates.output),
            cache_read: nanos(rates.cache_read),
            cache_write: nanos(rates.cache_write),
        }
    }

    /// Nano-dollars for a million times these tokens; none when a kind has no price.
    fn total(&self, usage: &CallUsage) -> Option<u128> {
        let written = u128::from(usage.output) + u128::from(usage.reasoning);
        let kinds = [
            (u128::from(usage.input), self.input),
            (written, self.output),
            (usage.cache_read.into(), self.cache_read),
            (usage.cache_write.into(), self.cache_write),
        ];
        kinds.into_iter().try_fold(0_u128, |sum, (tokens, rate)| match rate {
            Some(rate) => Some(sum + tokens * u128::from(rate)),
            None => (tokens == 0).then_some(sum),
        })
    }
}

impl Listed {
    /// The prices of a model.
    pub(crate) fn of(prices: &matrix::Prices) -> Self {
        let above = prices.above.map(|above| (above.input_tokens, Rates::of(&above.usd_per_million)));
        Self { base: Rates::of(&prices.usd_per_million), above }
    }

    fn rates(&self, input_tokens: u128) -> &Rates {
        match &self.above {
            Some((tokens, rates)) if input_tokens > u128::from(*tokens) => rates,
            _ => &self.base,
        }
    }
}

impl Price {
    /// What a service roughly says that a thousand tokens cost.
    pub(crate) fn of_hint(usd_per_1k: f64) -> Self {
        // What is no price at all, a service may yet have said.
        if usd_per_1k.is_finite() && usd_per_1k >= 0.0 {
            Self::Hint((usd_per_1k * HINT).ceil() as u64)
        } else {
            Self::Unknown
        }
    }

    /// What these tokens cost. Divides once, and rounds up.
    pub fn cost(&self, usage: &CallUsage) -> CallCost {
        let read = [usage.input, usage.cache_read, usage.cache_write].map(u128::from).iter().sum::<u128>();
        let written = u128::from(usage.output) + u128::from(usage.reasoning);
        let (total, state) = match self {
            Self::Free => (Some(0), CostState::Confirmed),
            Self::Listed(listed) => (listed.rates(read).total(usage), CostState::Confirmed),
            Self::Hint(rate) => {
                (Some((read + written).saturating_mul(u128::from(*rate))), CostState::Estimated)
            }
            Self::Unknown => (None, CostState::Unknown),
        };
        let Some(total) = total else { return CallCost { usd: None, state: CostState::Unknown } };
        let nanos = u64::try_from(total.div_ceil(MILLION)).ok().and_then(NanoUsd::from_nanos);
        let state = match usage.source {
            UsageSource::Estimated if total > 0 => CostState::Estimated,
            _ => state,
        };
        // No call costs eight million dollars: whoever counts so many tokens is wrong, and the amount an estimate.
        match nanos {
            Some(usd) => CallCost { usd: Some(usd), state },
            None => CallCost { usd: Some(NanoUsd::MAX), state: CostState::Estimated },
        }
    }

    /// What a request costs that is not made yet.
    pub fn estimate(&self, input_tokens: u64, output_tokens: u64) -> CallCost {
        self.cost(&CallUsage {
            input: input_tokens,
            output: output_tokens,
            cache_read: 0,
            cache_write: 0,
            reasoning: 0,
            source: UsageSource::Estimated,
        })
    }

    /// From which length on a request has other prices, if there are any.
    pub(crate) fn long_from(&self) -> Option<u64> {
        match self {
            Self::Listed(listed) => listed.above.map(|(tokens, _)| tokens),
            _ => None,
        }
    }

    /// Dollars for a token read and a token written in a request of this length, to compare by; none when unknown.
    pub(crate) fn per_token(&self, input_tokens: u64) -> Option<(f64, f64)> {
        let usd = |nanos_per_million: u64| nanos_per_million as f64 / 1e15;
        match self {
            Self::Free => Some((0.0, 0.0)),
            Self::Listed(listed) => {
                let rates = listed.rates(input_tokens.into());
                Some((usd(rates.input?), usd(rates.output?)))
            }
            Self::Hint(rate) => Some((usd(*rate), usd(*rate))),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usage(input: u64, output: u64, cache_read: u64) -> CallUsage {
        let source = UsageSource::Provider;
        CallUsage { input, output, cache_read, cache_write: 0, reasoning: 0, source }
    }

    fn nanos(price: Price, usage: &CallUsage) -> u64 {
        price.cost(usage).usd.unwrap().as_nanos()
    }

    #[test]
    fn a_part_of_a_nano_dollar_is_a_whole_one() {
        let price = Price::Hint(500);
        let costs = [0, 1, 2_000, 2_001].map(|tokens| nanos(price, &usage(tokens, 0, 0)));
        assert_eq!(costs, [0, 1, 1, 2]);
    }

    #[test]
    fn what_nobody_can_have_used_is_an_estimate_and_never_overflows() {
        let most =
            CallUsage { cache_write: u64::MAX, reasoning: u64::MAX, ..usage(u64::MAX, u64::MAX, u64::MAX) };
        let cost = Price::Hint(u64::MAX).cost(&most);
        assert_eq!((cost.usd, cost.state), (Some(NanoUsd::MAX), CostState::Estimated));
    }

    proptest! {
        #[test]
        fn a_call_costs_no_less_than_it_does_and_less_than_a_nano_dollar_more(
            rates in [0_u64..100_000_000_000, 0..100_000_000_000, 0..100_000_000_000],
            tokens in [0_u64..2_000_000, 0..2_000_000, 0..2_000_000],
        ) {
            let [input, output, cache_read] = rates.map(Some);
            let base = Rates { input, output, cache_read, cache_write: None };
            let price = Price::Listed(Listed { base, above: None });
            let cost = u128::from(nanos(price, &usage(tokens[0], tokens[1], tokens[2])));
            let exact: u128 = rates.iter().zip(tokens).map(|(rate, tokens)| u128::from(*rate) * u128::from(tokens)).sum();
            prop_assert!(cost * MILLION >= exact && cost * MILLION < exact + MILLION);
        }
    }
}
