//! A body with other text in some places, and everything else byte for byte.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

/// Other text for a range of a body; an empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where.
    pub range: Range<usize>,
    /// What stands there then.
    pub with: Cow<'static, [u8]>,
}

/// The body with these edits, which must not overlap. Copies it once, and not at all where nothing changes.
pub fn splice(body: &Bytes, mut edits: Vec<Edit>) -> Bytes {
    edits.retain(|edit| body.get(edit.range.clone()).is_some_and(|there| there != &*edit.with));
    if edits.is_empty() {
        return body.clone();
    }
    edits.sort_by_key(|edit| edit.range.start);
    let more: usize = edits.iter().map(|edit| edit.with.len()).sum();
    let mut spliced = BytesMut::with_capacity(body.len() + more);
    let mut done = 0;
    for edit in edits {
        let start = edit.range.start.max(done);
        spliced.extend_from_slice(&body[done..start]);
        spliced.extend_from_slice(&edit.with);
        done = edit.range.end.max(start);
    }
    spliced.extend_from_slice(&body[done..]);
    spliced.freeze()
}

/// A field more in a body that is an object; `value` is JSON.
pub fn inserted(body: &[u8], name: &str, value: &[u8]) -> Option<Edit> {
    let open = memchr::memchr(b'{', body)?;
    let is_empty = body.get(open + 1..)?.trim_ascii_start().first() == Some(&b'}');
    let mut with = quoted(name).into_owned();
    with.push(b':');
    with.extend_from_slice(value);
    if !is_empty {
        with.push(b',');
    }
    Some(Edit { range: open + 1..open + 1, with: Cow::Owned(with) })
}

/// A text as JSON.
pub fn quoted(text: &str) -> Cow<'static, [u8]> {
    // A string is always writable as JSON.
    Cow::Owned(serde_json::to_vec(text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_field_is_inserted_before_the_others() {
        let with = |body: &'static str| {
            let body = Bytes::from_static(body.as_bytes());
            splice(&body, inserted(&body, "a", b"1").into_iter().collect())
        };
        assert_eq!(with(r#"{"b":2}"#), r#"{"a":1,"b":2}"#);
        assert_eq!([with("{ }"), with("no object")], [r#"{"a":1 }"#, "no object"]);
    }

    proptest! {
        #[test]
        fn what_is_not_edited_stays_byte_for_byte(
            parts in prop::collection::vec(("[a-z]{0,8}", prop::option::of(("[a-z]{1,4}", "[A-Z]{0,6}"))), 0..8),
        ) {
            let (mut body, mut expected, mut edits) = (Vec::new(), Vec::new(), Vec::new());
            for (kept, edited) in &parts {
                body.extend_from_slice(kept.as_bytes());
                expected.extend_from_slice(kept.as_bytes());
                if let Some((before, after)) = edited {
                    let start = body.len();
                    body.extend_from_slice(before.as_bytes());
                    expected.extend_from_slice(after.as_bytes());
                    edits.push(Edit { range: start..body.len(), with: after.clone().into_bytes().into() });
                }
            }
            edits.reverse();
            prop_assert_eq!(splice(&body.into(), edits), Bytes::from(expected));
        }
    }

    #[test]
    fn a_body_in_which_nothing_changes_is_not_copied() {
        let body = Bytes::from_static(br#"{"model":"m"}"#);
        let same = splice(&body, vec![Edit { range: 9..12, with: quoted("m") }]);
        assert_eq!(same.as_ptr(), body.as_ptr());
    }
}
