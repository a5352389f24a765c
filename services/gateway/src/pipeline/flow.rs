//! A stream as it comes from upstream, cut into events, of which each is known for what it is.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use pas_dialects::sse::Framer;
use pas_dialects::stream::{Finish, Meter, Part};
use pas_dialects::{Dialect, sse};
use pas_upstream::Answer;

use crate::call::Form;
use crate::core::fault::Fault;

/// What comes.
#[derive(Debug)]
pub(crate) struct Flow {
    /// Until it is read to its end elsewhere, or let go.
    incoming: Option<Answer>,
    pub(super) meter: Meter,
    framer: Framer,
    /// Usage was asked for on the caller's behalf, who is not to see it.
    drop_usage: bool,
    event_bytes: usize,
    out: Out,
}

/// What is next.
#[derive(Debug)]
pub(super) enum Step {
    /// To be passed on; whether it bears content.
    Pass(Bytes, bool),
    /// Nobody's business.
    Skip,
    /// The end: to be passed on last.
    End(Bytes),
}

/// How events reach the client.
#[derive(Debug)]
struct Out {
    form: Form,
    any: bool,
}

impl Flow {
    pub(super) fn new(
        dialect: Dialect,
        form: Form,
        incoming: Answer,
        drop_usage: bool,
        event_bytes: usize,
    ) -> Self {
        let out = Out { form, any: false };
        let incoming = Some(incoming);
        Self { incoming, meter: Meter::new(dialect), framer: Framer::default(), drop_usage, event_bytes, out }
    }

    /// What comes next.
    pub(super) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.incoming.as_mut().map_or(Poll::Ready(None), |incoming| Pin::new(incoming).poll_frame(context))
    }

    /// What is still to come, for who reads it to its end, or lets it go.
    pub(super) fn rest(&mut self) -> Option<Answer> {
        self.incoming.take()
    }

    /// Takes in what has come.
    pub(super) fn push(&mut self, piece: Bytes) {
        self.framer.push(piece);
    }

    /// The next event that is here; none when more must come first.
    pub(super) fn step(&mut self) -> Result<Option<Step>, Fault> {
        let Some(event) = self.framer.next_event(self.event_bytes).map_err(|_| Fault::TooLarge)? else {
            return Ok(None);
        };
        let step = match self.meter.read(&event) {
            Part::Prelude => Step::Pass(self.out.event(event), false),
            Part::Content => Step::Pass(self.out.event(event), true),
            Part::Usage if self.drop_usage => Step::Skip,
            Part::Usage => Step::Pass(self.out.event(event), false),
            Part::End if self.meter.is_empty() => return Err(Fault::Empty),
            Part::End => Step::End(self.out.event(event)),
            Part::Error(said) => return Err(Fault::Inside(said.meaning(200))),
            Part::Garbage => return Err(Fault::Garbage),
        };
        Ok(Some(step))
    }

    /// What the body's end means that comes without an end mark.
    pub(super) fn broke_off(&self) -> Fault {
        if self.framer.is_amid() { Fault::Cut } else { Fault::NoEnd }
    }

    /// A content filter has refused, and there is nothing else.
    pub(super) fn is_refusal(&self) -> bool {
        self.meter.finish == Some(Finish::Filtered) && !self.meter.has_content
    }

    /// Whether more may come behind what marks the end.
    pub(super) fn goes_on_behind_its_end(&self) -> bool {
        // Gemini has no end mark: the last piece of content says that it is.
        self.out.form == Form::List || self.meter.dialect() == Dialect::GeminiGenerate
    }

    /// An event of the gateway's own.
    pub(super) fn own(&mut self, event: Bytes) -> Bytes {
        self.out.event(event)
    }

    /// What closes the answer, behind its last event.
    pub(super) fn closing(&self) -> Bytes {
        match (self.out.form, self.out.any) {
            (Form::List, true) => Bytes::from_static(b"]"),
            (Form::List, false) => Bytes::from_static(b"[]"),
            (Form::Events | Form::Whole, _) => Bytes::new(),
        }
    }
}

impl Out {
    fn event(&mut self, event: Bytes) -> Bytes {
        if self.form != Form::List {
            return event;
        }
        let Some(data) = sse::data(&event) else { return Bytes::new() };
        let before: &[u8] = if std::mem::replace(&mut self.any, true) { b",\r\n" } else { b"[" };
        [before, &data].concat().into()
    }
}
