//! Who lives: beats, probes, and the sweep that notices silence. Decided here and nowhere else.

use std::time::Duration;

use pas_types::id::ServiceId;
use pas_types::registry::{
    Heartbeat, HeartbeatAnswer, Probe, Reachability, ReachabilityReport, Status, Transition, TransitionKind,
};
use pas_types::time::Now;

use super::brake::BrakeEvent;
use super::pending::{Extent, Origin};
use super::row::Measures;
use super::tombstones::Tombstone;
use super::{Registry, of_registry, of_service};
use crate::error::Refusal;

/// Beats missed in a row after which a service leaves the list.
const LAST_MISS: u32 = 3;

impl Registry {
    /// A service says that it lives.
    pub fn beat(&mut self, beat: &Heartbeat, now: Now) -> Result<HeartbeatAnswer, Refusal> {
        beat.validate()?;
        let at = self.tick(now);
        let id = beat.service_id;
        let row = self.services.get(&id).ok_or(Refusal::UnknownService(id))?;
        if beat.lease_id.is_some_and(|lease| lease != row.record.lease_id) {
            return Err(Refusal::StaleLease(id));
        }
        let next_beat_ms = u64::from(row.record.heartbeat_interval_s) * 1000;
        self.tally.beats += 1;
        self.sign_of_life(id, at, now);
        self.take_word(beat, now);
        self.pending.mark(id, Extent::Beat);
        Ok(HeartbeatAnswer { next_beat_ms })
    }

    /// A service gave a sign of life at `at`: its next deadline is a whole ttl away.
    pub(super) fn sign_of_life(&mut self, id: ServiceId, at: Duration, now: Now) {
        let Some(row) = self.services.get_mut(&id) else { return };
        self.deadlines.remove(&(row.life.deadline, id));
        row.life.deadline = at + row.record.ttl();
        self.deadlines.insert((row.life.deadline, id));
        row.life.last_beat = now.wall.into();
        let from = row.life.status();
        let missed_beats = std::mem::take(&mut row.life.missed);
        let was_unverified = !std::mem::replace(&mut row.life.verified, true);
        self.unverified -= usize::from(was_unverified);
        if missed_beats > 0 {
            self.brake.let_stay(id);
            let recovered = of_service(TransitionKind::Recovered, row, from, now);
            self.pending.push(Transition { missed_beats, ..recovered }, Origin::Fact);
        }
        if missed_beats > 0 {
            self.changed(id);
        } else if was_unverified {
            self.show(id);
        }
    }

    /// Takes what a beat says of the service.
    fn take_word(&mut self, beat: &Heartbeat, now: Now) {
        let id = beat.service_id;
        let Some(row) = self.services.get_mut(&id) else { return };
        let life = &mut row.life;
        if let Some(work) = beat.work() {
            life.work = Some(work.into());
        }
        life.measures.update(Measures {
            p95_ms: beat.p95_ms,
            queue_depth: beat.queue_depth,
            load: beat.load,
        });
        let moved = life.measures.moved_notably(&life.announced);
        if moved {
            life.announced = life.measures;
        }
        let from = life.status();
        let reported = beat.status.unwrap_or_default();
        let says_otherwise = reported != life.reported;
        let reason = if reported == Status::Ok { None } else { beat.reason.as_deref() };
        let reasons_otherwise = reason != life.reported_reason.as_deref();
        life.reported = reported;
        if reasons_otherwise {
            life.reported_reason = reason.map(Into::into);
        }
        if says_otherwise {
            let told = of_service(TransitionKind::Reported, row, from, now);
            self.pending.push(Transition { reason: beat.reason.clone(), ..told }, Origin::Fact);
        }
        if says_otherwise || reasons_otherwise {
            self.changed(id);
        } else if moved {
            self.show(id);
        }
    }

    /// The monitor says what its probe of a service found. Silence counts only from a service that has answered
    /// before, or promised to: an agent that was registered by hand has no server, and that is fine.
    pub fn probed(&mut self, report: &ReachabilityReport, now: Now) -> Result<Probe, Refusal> {
        report.validate()?;
        let id = report.service_id;
        let row = self.services.get_mut(&id).ok_or(Refusal::UnknownService(id))?;
        let from = row.life.status();
        let before = row.life.probe.clone();
        let probe = &mut row.life.probe;
        probe.reachability = match report.reachable {
            true => Reachability::Reachable,
            false if probe.answered || row.record.promises_health() => Reachability::Unreachable,
            false => Reachability::Unprobed,
        };
        probe.answered |= report.reachable;
        probe.latency_ms = report.latency_ms.or(probe.latency_ms);
        probe.reason = report.reason.as_deref().map(Into::into);
        let view = probe.view();
        let told = (before.reachability, &before.reason) != (probe.reachability, &probe.reason);
        let kind = match (before.reachability, probe.reachability) {
            (Reachability::Unreachable, Reachability::Reachable) => Some(TransitionKind::Reachable),
            (Reachability::Unprobed | Reachability::Reachable, Reachability::Unreachable) => {
                Some(TransitionKind::Unreachable)
            }
            _ => None,
        };
        if let Some(kind) = kind {
            let transition = of_service(kind, row, from, now);
            self.pending.push(Transition { reason: report.reason.clone(), ..transition }, Origin::Fact);
        }
        if told {
            self.changed(id);
        }
        Ok(view)
    }

    /// Looks who is silent. `seed` decides the order in which the brake lets services go.
    pub fn sweep(&mut self, seed: u64, now: Now) {
        let at = self.tick(now);
        self.clock.swept(now.monotonic);
        while let Some(&(deadline, id)) = self.deadlines.first()
            && deadline <= at
        {
            self.deadlines.pop_first();
            self.miss(id, deadline, now);
        }
        let (evicted, event) = self.brake.admit(at, self.services.len(), seed, &self.tuning);
        for id in evicted {
            self.evict(id, now);
        }
        if let Some(event) = event {
            self.pending.push(brake_transition(&event, now), Origin::Fact);
        }
        if self.unsure && at >= self.grace_until {
            self.unsure = false;
            self.changes.start_over();
        }
        let expired = self.tombstones.expire(now, self.tuning.max_tombstones, self.tuning.tombstone_age);
        for id in expired {
            self.pending.mark(id, Extent::Whole);
        }
    }

    /// A beat is missed. After the last one the service is the brake's to let go.
    fn miss(&mut self, id: ServiceId, deadline: Duration, now: Now) {
        let Some(row) = self.services.get_mut(&id) else { return };
        let from = row.life.status();
        row.life.missed = (row.life.missed + 1).min(LAST_MISS);
        if row.life.missed == LAST_MISS {
            self.brake.hold(id);
        } else {
            row.life.deadline = deadline + row.record.interval();
            self.deadlines.insert((row.life.deadline, id));
            let missed = of_service(TransitionKind::BeatMissed, row, from, now);
            self.pending.push(missed, Origin::Fact);
        }
        self.changed(id);
    }

    fn evict(&mut self, id: ServiceId, now: Now) {
        let Some(row) = self.delist(id) else { return };
        self.tally.evictions += 1;
        let reason = Some(format!("missed {LAST_MISS} beats (last seen {})", row.life.last_beat));
        let evicted = of_service(TransitionKind::Evicted, &row, row.life.status(), now);
        self.pending.push(Transition { to_status: None, reason: reason.clone(), ..evicted }, Origin::Fact);
        self.tombstones.insert(Tombstone { row, ts: now.wall.into(), reason, evicted: true });
        self.changed(id);
    }

    /// Puts a service where its next miss is waited for.
    pub(super) fn await_beat(&mut self, id: ServiceId, deadline: Duration) {
        let Some(row) = self.services.get_mut(&id) else { return };
        self.deadlines.remove(&(row.life.deadline, id));
        row.life.deadline = deadline;
        if row.life.missed >= LAST_MISS {
            self.brake.hold(id);
        } else {
            self.deadlines.insert((deadline, id));
        }
    }
}

fn brake_transition(event: &BrakeEvent, now: Now) -> Transition {
    let (kind, reason) = match event {
        BrakeEvent::On { held } => {
            (TransitionKind::BrakeOn, format!("{held} silent services wait to be taken off the list"))
        }
        BrakeEvent::Off { opened: false } => (TransitionKind::BrakeOff, "no silent service waits".to_owned()),
        BrakeEvent::Off { opened: true } => (
            TransitionKind::BrakeOff,
            "it was on for long enough: all silent services were let go".to_owned(),
        ),
    };
    Transition { reason: Some(reason), ..of_registry(kind, now) }
}
