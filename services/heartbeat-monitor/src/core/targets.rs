//! Which services there are, as far as the monitor needs to know: whom to probe, and where.

use std::collections::HashSet;

use pas_types::id::ServiceId;

/// The path that is probed when a service names none.
const DEFAULT_PATH: &str = "/health";

/// A service that is probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub service_id: ServiceId,
    /// What is asked for.
    pub url: String,
}

impl Target {
    /// The target that a service is, if it has a server at all: an agent that somebody registered by hand has none.
    pub fn of(service_id: ServiceId, url: &str, health_path: Option<&str>) -> Option<Self> {
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return None;
        }
        let root = url.trim_end_matches('/');
        let path = health_path.unwrap_or(DEFAULT_PATH);
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self { service_id, url: format!("{root}{slash}{path}") })
    }
}

/// A place in the registry's change log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The start of the registry that the index belongs to.
    pub epoch: u64,
    /// The index.
    pub index: u64,
}

/// A message of the registry's watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// A part of all that exists.
    Snapshot {
        /// The place that the whole snapshot is true for.
        at: Cursor,
        /// Services, with their targets.
        services: Vec<Seen>,
        /// Whether this is the last part.
        last: bool,
        /// Whether what is not in it does not exist.
        authoritative: bool,
    },
    /// What changed.
    Changes {
        /// The place after the changes.
        at: Cursor,
        /// New or changed services.
        upserted: Vec<Seen>,
        /// Services that are gone.
        removed: Vec<ServiceId>,
    },
    /// Nothing changed up to here.
    Progress {
        /// The place.
        at: Cursor,
    },
}

/// A service of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub service_id: ServiceId,
    /// Where to probe it, if it is probed.
    pub target: Option<Target>,
}

/// What a message means for the probes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// Services, to be probed or not.
    pub seen: Vec<Seen>,
    /// Services that are gone.
    pub gone: Vec<ServiceId>,
    /// Services other than these are gone too.
    pub only: Option<HashSet<ServiceId>>,
    /// The registry has started anew; it may have forgotten what it was told.
    pub new_epoch: bool,
}

/// Follows the watch from message to message, and from one connection to the next.
#[derive(Debug, Default)]
pub struct Watcher {
    cursor: Option<Cursor>,
    /// The services of the snapshot that is arriving.
    snapshot: HashSet<ServiceId>,
}

impl Watcher {
    /// A connection begins. From where to ask: none asks for a snapshot.
    pub fn connect(&mut self) -> Option<Cursor> {
        self.snapshot.clear();
        self.cursor
    }

    /// Takes the next message.
    pub fn take(&mut self, message: Watched) -> Learned {
        match message {
            Watched::Snapshot { at, services, last, authoritative } => {
                self.snapshot.extend(services.iter().map(|seen| seen.service_id));
                let mut learned = Learned { seen: services, ..Learned::default() };
                if last {
                    let all = std::mem::take(&mut self.snapshot);
                    learned.only = authoritative.then_some(all);
                    // Only a whole snapshot is a place to go on from.
                    learned.new_epoch = self.advance(at);
                }
                learned
            }
            Watched::Changes { at, upserted, removed } => {
                let new_epoch = self.advance(at);
                Learned { seen: upserted, gone: removed, only: None, new_epoch }
            }
            Watched::Progress { at } => Learned { new_epoch: self.advance(at), ..Learned::default() },
        }
    }

    fn advance(&mut self, at: Cursor) -> bool {
        let before = self.cursor.replace(at);
        before.is_some_and(|before| before.epoch != at.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> ServiceId {
        ServiceId(uuid::Uuid::from_u128(n))
    }

    fn seen(n: u128) -> Seen {
        Seen { service_id: id(n), target: None }
    }

    fn at(epoch: u64, index: u64) -> Cursor {
        Cursor { epoch, index }
    }

    fn part(at: Cursor, service: u128, last: bool, authoritative: bool) -> Watched {
        Watched::Snapshot { at, services: vec![seen(service)], last, authoritative }
    }

    #[test]
    fn a_target_is_the_root_and_the_path_with_one_slash_between() {
        let url = |url, path| Target::of(id(1), url, path).map(|target| target.url);
        assert_eq!(url("http://127.0.0.1:80", None).as_deref(), Some("http://127.0.0.1:80/health"));
        assert_eq!(url("http://a/v1/", Some("/live")).as_deref(), Some("http://a/v1/live"));
        assert_eq!(url("https://a", Some("live?deep=1")).as_deref(), Some("https://a/live?deep=1"));
        // The path must not be able to name another host.
        assert_eq!(url("http://a", Some("@b/")).as_deref(), Some("http://a/@b/"));
    }

    #[test]
    fn a_service_without_a_server_is_no_target() {
        assert_eq!(Target::of(id(1), "", None), None);
        assert_eq!(Target::of(id(1), "ftp://a", None), None);
    }

    #[test]
    fn only_an_authoritative_snapshot_removes_what_is_not_in_it() {
        let mut watcher = Watcher::default();
        assert_eq!(watcher.take(part(at(1, 5), 1, false, true)).only, None);
        assert_eq!(watcher.take(part(at(1, 5), 2, true, true)).only, Some(HashSet::from([id(1), id(2)])));
        assert_eq!(watcher.take(part(at(1, 6), 3, true, false)).only, None);
        assert_eq!(watcher.take(part(at(1, 7), 4, true, true)).only, Some(HashSet::from([id(4)])));
    }

    #[test]
    fn a_snapshot_that_was_cut_is_no_place_to_go_on_from() {
        let mut watcher = Watcher::default();
        watcher.take(part(at(1, 5), 1, false, true));
        assert_eq!(watcher.connect(), None);
        assert_eq!(watcher.take(part(at(1, 6), 2, true, true)).only, Some(HashSet::from([id(2)])));
        assert_eq!(watcher.connect(), Some(at(1, 6)));
    }

    #[test]
    fn a_new_epoch_is_noticed_once() {
        let mut watcher = Watcher::default();
        let new_epoch = [at(1, 5), at(1, 6), at(2, 1), at(2, 1)]
            .map(|at| watcher.take(Watched::Progress { at }).new_epoch);
        assert_eq!(new_epoch, [false, false, true, false]);
    }
}
