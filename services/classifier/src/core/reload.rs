//! When what lies on the disk is looked at anew: once it has changed, and then stayed as it is from one look to the next, so
//! that a file that is just being written isn't read by half.

/// Remembers what was seen, and what was tried.
#[derive(Debug)]
pub struct Watch<S> {
    seen: S,
    tried: S,
}

impl<S: Clone + PartialEq> Watch<S> {
    /// `now` is being tried.
    pub fn new(now: S) -> Self {
        Self { seen: now.clone(), tried: now }
    }

    /// Whether `now`, which is there, is to be tried.
    pub fn look(&mut self, now: S) -> bool {
        let rests = self.seen == now;
        let is_new = self.tried != now;
        if rests && is_new {
            self.tried = now.clone();
        }
        self.seen = now;
        rests && is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_changed_is_tried_once_when_it_rests() {
        let mut watch = Watch::new(0);
        let looks = [0, 1, 2, 2, 2, 3, 2, 2, 0, 0, 0];
        let tried = looks.map(|now| watch.look(now));
        let wanted = [false, false, false, true, false, false, false, false, false, true, false];
        assert_eq!(tried, wanted);
    }
}
