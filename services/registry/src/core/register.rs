//! Registration: who is who, which lease counts, and what a registration may change.

use std::sync::Arc;
use std::time::Duration;

use pas_types::id::ServiceId;
use pas_types::registry::{Registered, Registration, Role, ServiceType, Status, Transition, TransitionKind};
use pas_types::time::Now;

use super::pending::{Before, Extent, Origin};
use super::row::{Identity, Life, Probed, Record, Row, bare, share};
use super::tombstones::Tombstone;
use super::{Fresh, Registry, of_service};
use crate::error::Refusal;

/// Who a registration is.
enum Who {
    Known(ServiceId),
    /// Was here before, and is gone.
    Gone(ServiceId),
    New(ServiceId),
}

impl Registry {
    /// A service says that it exists. Answers whether that was news, too. Counts as a beat.
    pub fn register(
        &mut self,
        registration: Registration,
        fresh: Fresh,
        now: Now,
    ) -> Result<(Registered, bool), Refusal> {
        registration.validate()?;
        let at = self.tick(now);
        let (id, created) = match self.who(&registration, fresh)? {
            Who::Known(id) => {
                self.reregister(id, registration, fresh, now)?;
                (id, false)
            }
            Who::Gone(id) | Who::New(id) => {
                self.check_room()?;
                self.admit(id, registration, fresh, at, now);
                (id, true)
            }
        };
        self.tally.registrations += 1;
        self.sign_of_life(id, at, now);
        self.pending.mark(id, Extent::Beat);
        let row = self.services.get(&id).ok_or(Refusal::UnknownService(id))?;
        Ok((registered(&row.record), created))
    }

    /// Finds out whom a registration means.
    fn who(&self, registration: &Registration, fresh: Fresh) -> Result<Who, Refusal> {
        let name: Arc<str> = registration.name.as_str().into();
        let identity = Identity::new(&name, registration.url.as_deref());
        let holder = self.identities.get(&identity).copied();
        let Some(id) = registration.service_id else {
            if let Some(id) = holder {
                return Ok(Who::Known(id));
            }
            let buried = self.tombstones.find(&identity);
            let same = buried.filter(|gone| gone.row.record.service_type == registration.service_type);
            return Ok(same.map_or(Who::New(fresh.service_id), |gone| Who::Gone(gone.row.id())));
        };
        let known = self.services.get(&id);
        let gone = self.tombstones.get(id).map(|gone| &gone.row);
        if let Some(Row { record, .. }) = known.or(gone) {
            if record.name != name {
                return Err(Refusal::OtherName {
                    id,
                    known: record.name.to_string(),
                    given: name.to_string(),
                });
            }
            check_type(record, registration)?;
        }
        if let Some(holder) = holder.filter(|holder| *holder != id) {
            return Err(Refusal::OtherId { name: name.to_string(), url: registration.url.clone(), holder });
        }
        Ok(match (known, gone) {
            (Some(_), _) => Who::Known(id),
            (None, Some(_)) => Who::Gone(id),
            (None, None) => Who::New(id),
        })
    }

    fn check_room(&self) -> Result<(), Refusal> {
        if self.services.len() < self.tuning.max_services {
            return Ok(());
        }
        Err(Refusal::Full(self.tuning.max_services))
    }

    /// Takes what a known service says of itself now. Another process than the one that holds the lease gets a new
    /// one, which fences the old process.
    fn reregister(
        &mut self,
        id: ServiceId,
        registration: Registration,
        fresh: Fresh,
        now: Now,
    ) -> Result<(), Refusal> {
        let row = self.services.get(&id).ok_or(Refusal::UnknownService(id))?;
        check_type(&row.record, &registration)?;
        let (old, before) = (row.record.clone(), row.clone());
        let moved = old.url.as_deref().map(bare) != registration.url.as_deref().map(bare);
        let same_process = registration.boot_id.is_some() && registration.boot_id == old.boot_id;
        let other_process = registration.boot_id.is_some() && registration.boot_id != old.boot_id;
        let fenced = other_process || (moved && !same_process);
        let boot_id = registration.boot_id.clone().or_else(|| old.boot_id.clone());
        let lease_id = if fenced { fresh.lease_id } else { old.lease_id };
        let said = Record::new(registration, id, lease_id, old.registered_at);
        let record = Record { boot_id, role: role_in_force(&old, &said), paused: old.paused, ..said };
        if record == *old {
            return Ok(());
        }
        self.pending.remember(id, || Before::Live(before));
        self.replace_record(id, record);
        if let Some(row) = self.services.get_mut(&id) {
            let from = row.life.status();
            forget_what_changed(&mut row.life, moved, fenced);
            let reason = what_changed(&old, &row.record, moved);
            let from_role = Some(old.role).filter(|role| *role != row.record.role);
            let reason = Some(reason.to_owned());
            let transition = of_service(TransitionKind::Reregistered, row, from, now);
            self.pending.push(Transition { from_role, reason, ..transition }, Origin::Command);
        }
        self.changed(id);
        Ok(())
    }

    /// Puts a service on the list that wasn't on it. One that was there before keeps what an operator decided about
    /// it, and the day of its first registration.
    fn admit(&mut self, id: ServiceId, registration: Registration, fresh: Fresh, at: Duration, now: Now) {
        let mut record = Record::new(registration, id, fresh.lease_id, now.wall.into());
        self.directory.share_words(&mut record.caps);
        let buried = self.tombstones.remove(id);
        let mut life = Life::new(now, at + record.ttl());
        if let Some(Tombstone { row, .. }) = &buried {
            record = Record {
                role: role_in_force(&row.record, &record),
                paused: row.record.paused,
                registered_at: row.record.registered_at,
                ..record
            };
            if row.record.url.as_deref().map(bare) == record.url.as_deref().map(bare) {
                life.probe.answered = row.life.probe.answered;
            }
        }
        let reason = buried.is_some().then(|| "it was here before".to_owned());
        self.pending.remember(id, || buried.map_or(Before::Absent, Before::Gone));
        let row = Row { record: record.into(), life };
        let transition = of_service(TransitionKind::Registered, &row, None::<Status>, now);
        self.pending.push(Transition { reason, ..transition }, Origin::Command);
        self.deadlines.insert((row.life.deadline, id));
        self.enlist(row);
        self.changed(id);
    }
}

/// A promotion survives the next registration. An agent can't be promoted: what it says of its role holds.
fn role_in_force(known: &Record, said: &Record) -> Role {
    if known.service_type == ServiceType::Agent { said.role } else { known.role }
}

/// A type is for good.
fn check_type(record: &Record, registration: &Registration) -> Result<(), Refusal> {
    if record.service_type == registration.service_type {
        return Ok(());
    }
    Err(Refusal::OtherType {
        id: record.service_id,
        known: record.service_type,
        given: registration.service_type,
    })
}

/// What was known of another process, or of another place, says nothing of this one.
fn forget_what_changed(life: &mut Life, moved: bool, fenced: bool) {
    if fenced {
        life.reported = Status::Ok;
        life.reported_reason = None;
        life.work = None;
    }
    if moved {
        life.probe = Probed::default();
    } else if fenced {
        life.probe = Probed { answered: life.probe.answered, ..Probed::default() };
    }
}

fn what_changed(old: &Record, new: &Record, moved: bool) -> &'static str {
    match (moved, old.lease_id != new.lease_id) {
        (true, _) => "it moved to another url",
        (false, true) => "another process of it has the lease",
        (false, false) => "it describes itself otherwise",
    }
}

/// The first beat is asked for at a time that is spread over the interval, so that services which registered at once
/// don't beat at once for ever.
fn registered(record: &Record) -> Registered {
    let earliest = record.interval() / 10;
    let next_beat = earliest + share(record.service_id, record.interval() - earliest);
    Registered {
        service_id: record.service_id,
        lease_id: record.lease_id,
        heartbeat_interval_s: record.heartbeat_interval_s,
        ttl_s: record.ttl_s,
        next_beat_ms: next_beat.as_millis() as u64,
        role: record.role,
    }
}
