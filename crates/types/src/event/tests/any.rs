//! Any event of any type, within its limits.

use std::str::FromStr;

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::alert::{AlertAction, AlertType, Severity};
use crate::error::ErrorCode;
use crate::event::*;
use crate::id::{AlertId, ReservationId, ServiceId};
use crate::money::NanoUsd;
use crate::registry::{ResourceUse, Role, ServiceType, TokenUsage};
use crate::resource::{Ports, Resources};
use crate::time::WireTime;

pub(super) fn event() -> impl Strategy<Value = Event> {
    let common = (time(), name(), of(id()), uuid(), of(name()));
    (common, body()).prop_map(|((ts, agent, run_id, service, idempotency_key), body)| Event {
        ts,
        agent: Some(agent),
        run_id,
        service_id: Some(ServiceId(service)),
        idempotency_key,
        body,
    })
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        heartbeat().boxed(),
        status_update().boxed(),
        alert().boxed(),
        registered().boxed(),
        deregistered().boxed(),
        promoted().boxed(),
        paused().boxed(),
        resumed().boxed(),
        receipt().boxed(),
        reservation().boxed(),
        job().boxed(),
        context().boxed(),
        checkpoint().boxed(),
        budget().boxed(),
        task().boxed(),
        step().boxed(),
        log().boxed(),
    ]
}

fn heartbeat() -> impl Strategy<Value = Body> {
    let usage = (tokens(), tokens()).prop_map(|(ctx_used, ctx_limit)| TokenUsage { ctx_used, ctx_limit });
    let resources = (number(), number()).prop_map(|(cpu, mem_mb)| ResourceUse { cpu, mem_mb });
    (select(&AgentStatus::ALL[..]), of(share()), of(usage), of(resources)).prop_map(
        |(status, progress, token_usage, resources)| {
            Heartbeat { status, progress, token_usage, resources }.into()
        },
    )
}

fn status_update() -> impl Strategy<Value = Body> {
    let details = prop::collection::btree_map(".{0,9}", text().prop_map(Into::into), 0..3);
    ("[a-zé_]{1,20}", of(id()), of(share()), of(text()), of(details)).prop_map(
        |(event, task_id, progress, message, details)| {
            StatusUpdate { event, task_id, progress, message, details }.into()
        },
    )
}

fn log() -> impl Strategy<Value = Body> {
    (text(), of(select(&LogLevel::ALL[..]))).prop_map(|(message, level)| Log { message, level }.into())
}

fn task() -> impl Strategy<Value = Body> {
    let ids = (id(), of(id()), of(id()));
    (ids, select(&TaskStatus::ALL[..]), of(name()), of(share()), of(text())).prop_map(
        |((task_id, parent_task_id, job_id), status, title, progress, reason)| {
            Task { task_id, status, parent_task_id, job_id, title, progress, reason }.into()
        },
    )
}

fn step() -> impl Strategy<Value = Body> {
    let ids = (id(), 1u32.., of(id()));
    (ids, select(&TaskStatus::ALL[..]), of(name()), of(any::<u64>()), of(text())).prop_map(
        |((task_id, step, call_id), status, title, took_ms, reason)| {
            Step { task_id, step, status, title, call_id, took_ms, reason }.into()
        },
    )
}

fn alert() -> impl Strategy<Value = Body> {
    let words = (select(&AlertType::ALL[..]), select(&Severity::ALL[..]), select(&AlertAction::ALL[..]));
    let details = prop::collection::btree_map(".{0,9}", any::<i64>().prop_map(Into::into), 0..3);
    let rest = (any::<u32>(), of(time()), any::<bool>(), of(text()), of(details));
    (uuid(), words, name(), rest).prop_map(|(id, (alert_type, severity, action), service_name, rest)| {
        let (missed_beats, last_seen, acked, message, details) = rest;
        let alert_id = AlertId(id);
        Alert {
            alert_id,
            alert_type,
            severity,
            service_name,
            missed_beats,
            last_seen,
            action,
            acked,
            message,
            details,
        }
        .into()
    })
}

fn service() -> impl Strategy<Value = (String, ServiceType, Option<String>)> {
    (name(), select(&ServiceType::ALL[..]), of(text()))
}

fn registered() -> impl Strategy<Value = Body> {
    (service(), of(select(&Role::ALL[..])), any::<bool>()).prop_map(
        |((service_name, service_type, _), role, known)| {
            Registered { service_name, service_type, role, known }.into()
        },
    )
}

fn deregistered() -> impl Strategy<Value = Body> {
    (service(), any::<bool>(), of(time())).prop_map(
        |((service_name, service_type, reason), evicted, last_seen)| {
            Deregistered { service_name, service_type, evicted, last_seen, reason }.into()
        },
    )
}

fn promoted() -> impl Strategy<Value = Body> {
    (service(), of(select(&Role::ALL[..])), select(&Role::ALL[..])).prop_map(
        |((service_name, service_type, reason), from_role, to_role)| {
            Promoted { service_name, service_type, from_role, to_role, reason }.into()
        },
    )
}

fn paused() -> impl Strategy<Value = Body> {
    service()
        .prop_map(|(service_name, service_type, reason)| Paused { service_name, service_type, reason }.into())
}

fn resumed() -> impl Strategy<Value = Body> {
    service().prop_map(|(service_name, service_type, reason)| {
        Resumed { service_name, service_type, reason }.into()
    })
}

fn receipt() -> impl Strategy<Value = Body> {
    let told = (id(), select(&CallStatus::ALL[..]), of(text()), of(name()), of(name()), of(name()));
    let measured = (of(any::<u32>()), of(usage()), of(cost()), of(timings()));
    let error = of(select(&ErrorCode::ALL[..]));
    (told, of(path()), measured, error).prop_map(|(told, budget, measured, error)| {
        let (call_id, status, route, service, model, policy) = told;
        let (attempts, usage, cost, timings_ms) = measured;
        Receipt {
            call_id,
            status,
            route,
            service,
            model,
            policy,
            budget,
            attempts,
            usage,
            cost,
            timings_ms,
            error,
        }
        .into()
    })
}

fn usage() -> impl Strategy<Value = CallUsage> {
    let source = select(&UsageSource::ALL[..]);
    ([tokens(), tokens(), tokens(), tokens(), tokens()], source).prop_map(
        |([input, output, cache_read, cache_write, reasoning], source)| CallUsage {
            input,
            output,
            cache_read,
            cache_write,
            reasoning,
            source,
        },
    )
}

fn cost() -> impl Strategy<Value = CallCost> {
    let known = (usd(), select(vec![CostState::Confirmed, CostState::Estimated]));
    prop_oneof![
        known.prop_map(|(usd, state)| CallCost { usd: Some(usd), state }),
        Just(CallCost { usd: None, state: CostState::Unknown }),
    ]
}

fn timings() -> impl Strategy<Value = CallTimings> {
    (number(), of(number()), of(number()), of(number())).prop_map(
        |(total, first_token, upstream, overhead)| CallTimings { total, first_token, upstream, overhead },
    )
}

fn reservation() -> impl Strategy<Value = Body> {
    let ports = prop_oneof![
        (0u16..=1024).prop_map(Ports::Count),
        prop::collection::btree_set(1u16.., 0..9).prop_map(|ports| Ports::List(ports.into_iter().collect())),
    ];
    let items = (of(share()), of(0u64..=1_000_000_000), of(0u32..=1024), of(ports))
        .prop_map(|(cpu, mem_mb, gpu, ports)| Resources { cpu, mem_mb, gpu, gpu_mem_mb: mem_mb, ports });
    let ids = (uuid(), id());
    (ids, select(&ReservationStatus::ALL[..]), of(items), of(time()), of(text())).prop_map(
        |((id, job_id), status, items, expires_at, reason)| {
            let reservation_id = ReservationId(id);
            Reservation { reservation_id, status, job_id, items, expires_at, reason }.into()
        },
    )
}

fn job() -> impl Strategy<Value = Body> {
    let words = (select(&JobStatus::ALL[..]), of(select(&Containment::ALL[..])));
    let numbers = (of(1u32..=4_194_304), of(any::<u8>()), of(1u8..=64), of(any::<u64>()));
    ((id(), of(uuid())), words, numbers, of(text())).prop_map(|((job_id, id), words, numbers, reason)| {
        let (status, containment) = words;
        let (pid, exit_code, signal, took_ms) = numbers;
        let reservation_id = id.map(ReservationId);
        Job { job_id, status, reservation_id, pid, containment, exit_code, signal, took_ms, reason }.into()
    })
}

fn context() -> impl Strategy<Value = Body> {
    (tokens(), tokens(), select(&ContextStatus::ALL[..]), of(tokens()), of(name())).prop_map(
        |(ctx_used, ctx_limit, status, prefix_tokens, model)| {
            Context { ctx_used, ctx_limit, status, prefix_tokens, model }.into()
        },
    )
}

fn checkpoint() -> impl Strategy<Value = Body> {
    let words = (
        select(&CheckpointState::ALL[..]),
        select(&CheckpointTrigger::ALL[..]),
        of(select(&CheckpointMethod::ALL[..])),
    );
    let numbers = (of(tokens()), of(tokens()), of(any::<u64>()));
    (words, of(id()), of(text()), numbers, of(text())).prop_map(
        |((state, trigger_reason, method), summary_id, summary_path, numbers, reason)| {
            let (ctx_before, ctx_after, took_ms) = numbers;
            Checkpoint {
                state,
                trigger_reason,
                summary_id,
                summary_path,
                method,
                ctx_before,
                ctx_after,
                took_ms,
                reason,
            }
            .into()
        },
    )
}

fn budget() -> impl Strategy<Value = Body> {
    let words =
        (select(&BudgetStatus::ALL[..]), of(select(&LimitType::ALL[..])), of(select(&Window::ALL[..])));
    let usd = [usd(), usd(), usd()].prop_map(|[limit, spent, held]| UsdAmounts { limit, spent, held });
    let tokens =
        [tokens(), tokens(), tokens()].prop_map(|[limit, spent, held]| TokenAmounts { limit, spent, held });
    (path(), words, of(usd), of(tokens), of(time())).prop_map(
        |(path, (status, limit_type, window), usd, tokens, opens_at)| {
            Budget { path, status, limit_type, window, usd, tokens, opens_at }.into()
        },
    )
}

fn name() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{1,60}"
}

fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

fn path() -> impl Strategy<Value = String> {
    "[a-z%é]{1,9}(/[A-Z0-9-]{1,9}){0,4}"
}

fn id<T: FromStr<Err = Error> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    "[A-Za-z0-9_-]{1,128}".prop_map(|text| text.parse().unwrap())
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

/// Up to the year 2025.
fn time() -> impl Strategy<Value = WireTime> {
    (-62_000_000_000_000_i64..=1_735_689_600_000).prop_map(WireTime::from_millis)
}

fn tokens() -> impl Strategy<Value = u64> {
    0..=crate::limits::TOKENS
}

fn usd() -> impl Strategy<Value = NanoUsd> {
    (0..=NanoUsd::MAX.as_nanos()).prop_map(|nanos| NanoUsd::from_nanos(nanos).unwrap())
}

fn share() -> impl Strategy<Value = f64> {
    (0..=1000u32).prop_map(|thousandths| f64::from(thousandths) / 1000.0)
}

fn number() -> impl Strategy<Value = f64> {
    any::<u32>().prop_map(|thousandths| f64::from(thousandths) / 1000.0)
}
