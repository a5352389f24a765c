//! What all connections share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::answer::Answer;
use super::http::{Head, Inbox};
use super::instant::{Known, Memory};
use super::manner::Profile;
use super::record::Ledger;
use super::script::Script;

/// The state behind a provider.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) profile: Profile,
    pub(super) ledger: Ledger,
    queue: Mutex<VecDeque<Script>>,
    is_queue_used: AtomicBool,
    memory: Option<Mutex<Memory>>,
    /// Tells connections that wait for a request to wait no longer.
    pub(super) idle: Notify,
    /// Whether somebody is to listen, and whether somebody does.
    pub(super) wanted: watch::Sender<bool>,
    pub(super) listening: watch::Sender<bool>,
    /// When somebody is to listen again, if that is to happen by itself.
    pub(super) reopen_at: watch::Sender<Option<Instant>>,
    pub(super) accepted: AtomicU64,
    /// Connections that are open.
    pub(super) open: watch::Sender<usize>,
}

impl Shared {
    /// `keep` so many requests; know answers that were given before, if `instant`.
    pub(super) fn new(profile: Profile, keep: usize, instant: bool) -> Self {
        Self {
            profile,
            ledger: Ledger::new(keep),
            queue: Mutex::default(),
            is_queue_used: AtomicBool::new(false),
            memory: instant.then(Mutex::default),
            idle: Notify::new(),
            wanted: watch::Sender::new(true),
            listening: watch::Sender::new(true),
            reopen_at: watch::Sender::new(None),
            accepted: AtomicU64::new(0),
            open: watch::Sender::new(0),
        }
    }

    /// Adds a script behind the others.
    pub(super) fn queue(&self, script: Script) {
        self.scripts().push_back(script);
        self.is_queue_used.store(true, Ordering::Release);
    }

    /// Forgets all scripts.
    pub(super) fn clear(&self) {
        self.scripts().clear();
        self.is_queue_used.store(false, Ordering::Release);
    }

    /// How many scripts are waiting; one that is for every request counts too.
    pub(super) fn waiting(&self) -> usize {
        self.scripts().len()
    }

    /// The first script that is for such a request. It is used up by as many as it is for.
    pub(super) fn queued(
        &self,
        path: &str,
        model: &str,
        key: Option<&str>,
        is_pooled: bool,
    ) -> Option<Script> {
        let mut scripts = self.scripts();
        let place = scripts.iter().position(|script| script.is_for(path, model, key, is_pooled))?;
        let script = scripts.get_mut(place)?;
        let found = script.clone();
        match &mut script.times {
            None => {}
            Some(0 | 1) => drop(scripts.remove(place)),
            Some(times) => *times -= 1,
        }
        self.is_queue_used.store(!scripts.is_empty(), Ordering::Release);
        Some(found)
    }

    /// The answer to a request that came before, if such answers are known; `last` is the one before on this connection.
    pub(super) fn known(
        &self,
        inbox: &Inbox,
        head: &Head,
        last: &mut Option<Arc<Known>>,
    ) -> Option<Arc<Answer>> {
        let memory = self.memory.as_ref()?;
        if self.is_queue_used.load(Ordering::Acquire) {
            return None;
        }
        if !last.as_ref().is_some_and(|known| known.is(inbox, head)) {
            *last = memory.lock().unwrap_or_else(PoisonError::into_inner).find(inbox, head);
        }
        last.as_ref().map(|known| Arc::clone(&known.answer))
    }

    pub(super) fn remember(&self, inbox: &Inbox, head: &Head, answer: &Arc<Answer>) {
        if let Some(memory) = &self.memory {
            memory.lock().unwrap_or_else(PoisonError::into_inner).add(inbox, head, answer);
        }
    }

    fn scripts(&self) -> MutexGuard<'_, VecDeque<Script>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Fault;
    use super::*;

    #[test]
    fn scripts_are_used_up_in_order_by_the_requests_that_they_are_for() {
        let shared = Shared::new(Profile::default(), 0, false);
        shared.queue(Script::text("a").on("/messages").times(2));
        shared.queue(Script::text("b"));
        shared.queue(Script::fault(Fault::ClosePooled));
        shared.queue(Script::text("c").forever());
        let next = |path, is_pooled| {
            shared.queued(path, "m", None, is_pooled).map(|script| (script.text, script.fault))
        };
        let text = |text: &str| Some((Some(text.to_owned()), None));
        assert_eq!(next("/v1/messages", false), text("a"));
        assert_eq!(next("/v1/chat/completions", false), text("b"));
        assert_eq!(next("/v1/chat/completions", false), text("c"));
        assert_eq!(next("/v1/messages", false), text("a"));
        assert_eq!(next("/v1/messages", true), Some((None, Some(Fault::ClosePooled))));
        assert_eq!(next("/v1/messages", true), text("c"));
        shared.clear();
        assert_eq!((shared.waiting(), shared.queued("/", "m", None, true)), (0, None));
    }
}
