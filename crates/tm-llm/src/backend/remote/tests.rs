//! No answer but a whole one passes for one, wherever its stream is cut.

use futures_util::{StreamExt as _, stream};
use proptest::prelude::*;

use super::{reply::Pieces, window::Admitted, *};
use crate::{
    chat::{ChatEvent, FinishReason},
    provider,
};

const OPENAI: &str = concat!(
    ": ping\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"one ü\"}}]}\r\n\r\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\" two\"}}],\"usage\":null}\n\n",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n",
    "data: [DONE]\n\n",
);

const ANTHROPIC: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":{\"input_tokens\":6,\"cache_read_input_tokens\":3,\"output_tokens\":1}}}\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"answer\",\"input\":{}}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"one ü\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\" two\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":4}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

const OLLAMA: &str = concat!(
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n",
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"one ü\"},\"done\":false}\n",
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\" two\"},\"done\":false}\n",
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":9,\"eval_count\":4}\n",
);

const GOOGLE: &str = concat!(
    "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"hm\",\"thought\":true}]}}]}\n\n",
    "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"one ü\"}]}}]}\n\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\" two\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":4,\"cachedContentTokenCount\":3}}\n\n",
);

const RECORDED: [(&str, &str); 4] =
    [("lmstudio", OPENAI), ("anthropic", ANTHROPIC), ("ollama", OLLAMA), ("google", GOOGLE)];

fn server(provider: &str) -> Server {
    Server::new(provider::find(provider).unwrap(), "http://localhost".to_owned(), "m")
}

/// The answer to a stream that arrives in these pieces and then ends.
async fn answer(provider: &str, pieces: Vec<Vec<u8>>) -> Result<String, BackendError> {
    let (text, finish) = answered(provider, pieces).await?;
    assert_eq!(finish, FinishReason::Stop);
    Ok(text)
}

/// The same, however it ended.
async fn answered(
    provider: &str,
    pieces: Vec<Vec<u8>>,
) -> Result<(String, FinishReason), BackendError> {
    let server = server(provider);
    let limits = Limits {
        asked: Instant::now(),
        is_whole: false,
        deadline: Instant::now() + Duration::from_mins(1),
        window: None,
        admitted: Admitted {
            counted: Counted { tokens: 10, is_estimate: true },
            least_tokens: 1,
            is_in_doubt: false,
        },
        answer_tokens: 100,
        context_tokens: 1000,
    };
    let framing = server.provider.dialect.framing();
    let bytes = stream::iter(pieces.into_iter().map(|it| Ok(it.into())));
    let pieces = Pieces::Anywhere(bytes.boxed());
    let mut events = Answering::new(Arc::new(server), limits, framing, pieces).into_stream();
    let (mut text, mut end) = (String::new(), None);
    while let Some(event) = events.next().await {
        assert!(end.is_none(), "there is one end");
        match event? {
            ChatEvent::Delta(delta) => text += &delta,
            ChatEvent::Reasoning(_) => {}
            ChatEvent::Done { finish, usage } => end = Some((finish, usage)),
        }
    }
    let (finish, _) = end.expect("an end");
    Ok((text, finish))
}

#[tokio::test]
async fn recorded_answers_are_read_without_their_thoughts() {
    for (provider, recorded) in RECORDED {
        let text = answer(provider, vec![recorded.as_bytes().to_vec()]).await.unwrap();
        assert_eq!(text, "one ü two", "{provider}");
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_anywhere_is_whole_or_an_error() {
    for (provider, recorded) in RECORDED {
        let mut whole = 0;
        for cut in 0..recorded.len() {
            let bytes = recorded.as_bytes()[..cut].to_vec();
            match answer(provider, vec![bytes]).await {
                Ok(text) => {
                    assert_eq!(text, "one ü two", "{provider} cut at {cut}");
                    whole += 1;
                }
                Err(BackendError::Broken { .. } | BackendError::Reported { .. }) => {}
                Err(error) => panic!("{provider} cut at {cut}: {error}"),
            }
        }
        assert!(whole < recorded.len() / 2, "{provider}: {whole}");
    }
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        which in 0..RECORDED.len(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let (provider, recorded) = RECORDED[which];
        let mut cuts: Vec<usize> = cuts.iter().map(|it| it.index(recorded.len())).collect();
        cuts.extend([0, recorded.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|it| recorded.as_bytes()[it[0]..it[1]].to_vec());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let text = runtime.block_on(answer(provider, pieces.collect())).unwrap();
        prop_assert_eq!(text, "one ü two");
    }

    #[test]
    fn damaged_answers_have_one_end_all_the_same(
        which in 0..RECORDED.len(),
        damage in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..20_usize, prop::collection::vec(any::<u8>(), 0..6)), 1..5
        ),
        cut in any::<prop::sample::Index>(),
    ) {
        let (provider, recorded) = RECORDED[which];
        let mut bytes = recorded.as_bytes().to_vec();
        for (place, lost, new) in damage {
            let start = place.index(bytes.len() + 1);
            let end = (start + lost).min(bytes.len());
            bytes.splice(start..end, new);
        }
        let rest = bytes.split_off(cut.index(bytes.len() + 1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        // What it is, nobody knows; that there is an end, and one, is seen to there.
        drop(runtime.block_on(answered(provider, vec![bytes, rest])));
    }
}

#[test]
fn keys_are_not_shown() {
    let key = Key::new("secret");
    let server = Server { key: Some(key.clone()), ..server("openai") };
    assert!(!format!("{key:?} {server:?}").contains("secret"));
}
