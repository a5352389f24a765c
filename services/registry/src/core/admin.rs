//! What an operator decides: promote, pause, resume, deregister, release the brake.

use std::collections::{HashMap, HashSet};

use pas_types::id::ServiceId;
use pas_types::registry::{
    AdminOutcome, BrakeRelease, BrakeState, Deregister, Deregistered, Promote, Selector, ServiceType,
    Subject, Transition, TransitionKind,
};
use pas_types::time::Now;

use super::pending::{Before, Origin};
use super::row::{Record, Row};
use super::tombstones::Tombstone;
use super::{Registry, of_registry, of_service};
use crate::error::Refusal;

impl Registry {
    /// Gives a model or a tool another rung, up or down.
    pub fn promote(&mut self, promote: &Promote, now: Now) -> Result<Row, Refusal> {
        promote.validate()?;
        let id = promote.service_id;
        let row = self.services.get(&id).ok_or(Refusal::UnknownService(id))?;
        let Record { service_type, role, .. } = *row.record;
        if matches!(service_type, ServiceType::Agent | ServiceType::Service) {
            return Err(Refusal::NotPromotable { id, service_type });
        }
        if role == promote.role {
            return Ok(row.clone());
        }
        let record = Record { role: promote.role, ..Record::clone(&row.record) };
        self.decide(id, record, TransitionKind::Promoted, promote.reason.clone(), now);
        self.services.get(&id).cloned().ok_or(Refusal::UnknownService(id))
    }

    /// Takes services out of service.
    pub fn pause(&mut self, selector: &Selector, now: Now) -> Result<AdminOutcome, Refusal> {
        self.set_paused(selector, true, now)
    }

    /// Gives them back.
    pub fn resume(&mut self, selector: &Selector, now: Now) -> Result<AdminOutcome, Refusal> {
        self.set_paused(selector, false, now)
    }

    fn set_paused(&mut self, selector: &Selector, paused: bool, now: Now) -> Result<AdminOutcome, Refusal> {
        let subjects = self.subjects(&selector.subject()?)?;
        let kind = if paused { TransitionKind::Paused } else { TransitionKind::Resumed };
        let mut changed = Vec::new();
        for id in &subjects {
            let Some(record) =
                self.services.get(id).map(|row| &row.record).filter(|record| record.paused != paused)
            else {
                continue;
            };
            let record = Record { paused, ..Record::clone(record) };
            self.decide(*id, record, kind, selector.reason.clone(), now);
            changed.push(*id);
        }
        Ok(AdminOutcome { matched: subjects.len() as u64, changed })
    }

    /// Carries out an operator's decision about one service.
    fn decide(
        &mut self,
        id: ServiceId,
        record: Record,
        kind: TransitionKind,
        reason: Option<String>,
        now: Now,
    ) {
        let Some(row) = self.services.get(&id) else { return };
        let transition = of_service(kind, row, row.life.status(), now);
        let from_role = Some(row.record.role).filter(|role| *role != record.role);
        let to_role = Some(record.role);
        let before = row.clone();
        self.pending.remember(id, || Before::Live(before));
        self.pending.push(Transition { from_role, to_role, reason, ..transition }, Origin::Command);
        self.replace_record(id, record);
        self.changed(id);
    }

    /// Who is meant, sorted by name and id within each name.
    fn subjects(&self, subject: &Subject) -> Result<Vec<ServiceId>, Refusal> {
        match subject {
            Subject::Service(id) if self.services.contains_key(id) => Ok(vec![*id]),
            Subject::Service(id) => Err(Refusal::UnknownService(*id)),
            Subject::Name(name) => {
                let ids: Vec<ServiceId> = self.directory.named(name).collect();
                if ids.is_empty() {
                    Err(Refusal::UnknownName { field: "name", name: name.clone() })
                } else {
                    Ok(ids)
                }
            }
            Subject::Subtree(root) => {
                // Parents are named; whoever has the id means the same service.
                let named =
                    root.parse().ok().and_then(|id| self.services.get(&id)).map(|row| &*row.record.name);
                let ids = self.subtree(named.unwrap_or(root));
                if ids.is_empty() {
                    return Err(Refusal::UnknownName { field: "subtree", name: root.clone() });
                }
                Ok(ids)
            }
            Subject::All => {
                let places = self.directory.candidates((None, None), &[], None, None);
                let rows = places.filter_map(|place| self.services.get(&place.id));
                let spared = |row: &&Row| row.record.service_type != ServiceType::Service;
                Ok(rows.filter(spared).map(Row::id).collect())
            }
        }
    }

    /// The services named `root` and all below them. A name is visited once, so that a cycle of parents ends.
    fn subtree(&self, root: &str) -> Vec<ServiceId> {
        let mut children: HashMap<&str, Vec<&Record>> = HashMap::new();
        for row in self.services.values() {
            if let Some(parent) = row.record.parent() {
                children.entry(parent).or_default().push(&row.record);
            }
        }
        let mut members: HashSet<ServiceId> = self.directory.named(root).collect();
        let mut ids: Vec<ServiceId> = self.directory.named(root).collect();
        let mut visited = HashSet::from([root]);
        let mut names = vec![root];
        while let Some(name) = names.pop() {
            for child in children.get(name).into_iter().flatten() {
                if members.insert(child.service_id) {
                    ids.push(child.service_id);
                }
                if visited.insert(&child.name) {
                    names.push(&child.name);
                }
            }
        }
        ids
    }

    /// A service is gone, by its own word or an operator's. Said twice, it is the same.
    pub fn deregister(&mut self, request: &Deregister, now: Now) -> Result<Deregistered, Refusal> {
        request.validate()?;
        let id = request.service_id;
        let gone = self.tombstones.get(id);
        let known = self.services.get(&id).or(gone.map(|gone| &gone.row));
        let row = known.ok_or(Refusal::UnknownService(id))?.clone();
        if request.lease_id.is_some_and(|lease| lease != row.record.lease_id) {
            return Err(Refusal::StaleLease(id));
        }
        if let Some(gone) = gone {
            return Ok(gone.view());
        }
        let transition = of_service(TransitionKind::Deregistered, &row, row.life.status(), now);
        let transition = Transition { to_status: None, reason: request.reason.clone(), ..transition };
        self.pending.push(transition, Origin::Command);
        self.delist(id);
        let tombstone = Tombstone {
            row: row.clone(),
            ts: now.wall.into(),
            reason: request.reason.clone(),
            evicted: false,
        };
        let view = tombstone.view();
        self.pending.remember(id, || Before::Live(row));
        self.tombstones.insert(tombstone);
        self.changed(id);
        Ok(view)
    }

    /// Ends the eviction brake: whom it holds back goes with the next sweep.
    pub fn release_brake(&mut self, request: &BrakeRelease, now: Now) -> Result<BrakeState, Refusal> {
        request.validate()?;
        let held = self.brake.held() as u64;
        if !self.brake.is_on() {
            return Ok(BrakeState { released: false, held });
        }
        self.pending.remember_brake(self.brake.mark());
        self.brake.release();
        let said = request.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let reason = Some(format!("an operator released it{said}"));
        self.pending
            .push(Transition { reason, ..of_registry(TransitionKind::BrakeOff, now) }, Origin::Command);
        Ok(BrakeState { released: true, held })
    }
}
