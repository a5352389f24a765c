use proptest::prelude::*;

use super::*;

fn parts(dialect: Dialect, events: &[&str]) -> (Vec<Part>, Meter) {
    let mut meter = Meter::new(dialect);
    let parts = events.iter().map(|data| meter.read(&sse::event(None, data.as_bytes()))).collect();
    (parts, meter)
}

#[test]
fn a_chat_of_openai_has_a_prelude_content_usage_and_an_end() {
    let (parts, meter) = parts(
        Dialect::OpenaiChat,
        &[
            r#"{"model":"gpt-4o-2024-08-06","choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"delta":{"content":"hello"}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#,
            "[DONE]",
        ],
    );
    assert_eq!(parts, [Part::Prelude, Part::Content, Part::Prelude, Part::Usage, Part::End]);
    let usage = meter.usage.unwrap();
    assert_eq!((usage.input, usage.output, meter.is_empty()), (9, 3, false));
    assert_eq!((meter.model.as_deref(), meter.finish), (Some("gpt-4o-2024-08-06"), Some(Finish::Stop)));
}

#[test]
fn a_message_of_anthropic_adds_its_usage_up_from_both_ends() {
    let (parts, meter) = parts(
        Dialect::AnthropicMessages,
        &[
            r#"{"type":"message_start","message":{"model":"claude","usage":{"input_tokens":25,"cache_read_input_tokens":4,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":15}}"#,
            r#"{"type":"message_stop"}"#,
        ],
    );
    use Part::{Content, End, Prelude};
    assert_eq!(parts, [Prelude, Prelude, Prelude, Content, Content, Prelude, End]);
    let usage = meter.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output), (25, 4, 15));
}

#[test]
fn a_response_of_openai_ends_with_the_event_that_has_all_of_it() {
    let (parts, meter) = parts(
        Dialect::OpenaiResponses,
        &[
            r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"gpt-5"}}"#,
            r#"{"type":"response.output_item.added","sequence_number":1,"item":{"type":"message"}}"#,
            r#"{"type":"response.output_text.delta","sequence_number":2,"delta":"Hi"}"#,
            r#"{"type":"response.completed","sequence_number":3,"response":{"usage":{"input_tokens":1,"output_tokens":2}}}"#,
        ],
    );
    assert_eq!(parts, [Part::Prelude, Part::Prelude, Part::Content, Part::End]);
    let spoken = meter.spoken();
    assert_eq!((spoken.response_id.as_deref(), spoken.sequence), (Some("resp_1"), Some(3)));
    assert_eq!(meter.usage.map(|usage| usage.output), Some(2));
}

#[test]
fn a_stream_of_gemini_ends_with_its_finish_reason() {
    let (parts, meter) = parts(
        Dialect::GeminiGenerate,
        &[
            r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"}}],"modelVersion":"gemini"}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2}}"#,
        ],
    );
    assert_eq!(parts, [Part::Content, Part::End]);
    assert_eq!(meter.usage.map(|usage| (usage.input, usage.output)), Some((4, 2)));
}

#[test]
fn of_several_answers_of_gemini_the_last_one_ends_the_stream() {
    let chunk = |index: u64, finish: &str| {
        format!(r#"{{"candidates":[{{"index":{index},"content":{{"parts":[{{"text":"x"}}]}}{finish}}}]}}"#)
    };
    let done = r#","finishReason":"STOP""#;
    let events = [chunk(0, ""), chunk(1, ""), chunk(0, done), chunk(1, ""), chunk(1, done)];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    use Part::{Content, End};
    assert_eq!(parts(Dialect::GeminiGenerate, &events).0, [Content, Content, Content, Content, End]);
}

#[test]
fn an_error_inside_and_what_is_no_event_are_told_apart_from_content() {
    let error = |kind: &str, message: &str| {
        Part::Error(Said { kind: kind.to_owned(), message: message.to_owned(), ..Said::default() })
    };
    let openai = r#"{"error":{"message":"busy","type":"server_error"}}"#;
    assert_eq!(parts(Dialect::OpenaiChat, &[openai]).0, [error("server_error", "busy")]);
    let anthropic = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(parts(Dialect::AnthropicMessages, &[anthropic]).0, [error("overloaded_error", "Overloaded")]);
    let failed = r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"no"}}}"#;
    assert_eq!(parts(Dialect::OpenaiResponses, &[failed]).0, [error("server_error", "no")]);
    for dialect in
        [Dialect::OpenaiChat, Dialect::OpenaiResponses, Dialect::AnthropicMessages, Dialect::GeminiGenerate]
    {
        assert_eq!(
            parts(dialect, &["{\"choi", "<html>", "\u{7}"]).0,
            [Part::Garbage, Part::Garbage, Part::Garbage]
        );
    }
}

#[test]
fn an_empty_answer_is_one_that_nothing_explains() {
    let finish = |reason: &str| {
        let end = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
        parts(Dialect::OpenaiChat, &[&end, "[DONE]"]).1.is_empty()
    };
    assert_eq!(["stop", "length", "content_filter"].map(finish), [true, false, false]);
}

proptest! {
    #[test]
    fn any_bytes_are_some_part(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for dialect in Dialect::ALL {
            Meter::new(dialect).read(&sse::event(None, &bytes));
        }
    }
}
