use futures_util::stream;

use super::*;
use crate::chat::{FinishReason, Usage};

#[derive(Debug)]
struct Fixed(ModelInfo, Vec<ChatEvent>);

#[async_trait]
impl Backend for Fixed {
    fn info(&self) -> &ModelInfo {
        &self.0
    }

    async fn stream(&self, _: ChatRequest) -> Result<ChatStream, BackendError> {
        Ok(stream::iter(self.1.clone().into_iter().map(Ok)).boxed())
    }
}

async fn answer(events: &[ChatEvent]) -> String {
    let info = ModelInfo {
        provider: "fixed".into(),
        model: "m".into(),
        context_tokens: 100,
        parallel: 1,
        whole_answers: false,
    };
    let request = ChatRequest {
        messages: Vec::new(),
        response_schema: None,
        sampling: crate::chat::Sampling::default(),
        max_tokens: 10,
        deadline: std::time::Instant::now() + Duration::from_mins(1),
    };
    match complete(&Fixed(info, events.to_vec()), request, &|_| ()).await {
        Ok(completion) => completion.text,
        Err(error) => format!("error: {error}"),
    }
}

#[tokio::test]
async fn deltas_are_joined_and_an_answer_without_text_or_end_is_an_error() {
    let text = |it: &str| ChatEvent::Delta(it.to_owned());
    let done = ChatEvent::Done { finish: FinishReason::Stop, usage: Usage::default() };
    assert_eq!(answer(&[text("a"), text("b"), done.clone()]).await, "ab");
    assert_eq!(answer(&[text(" "), done]).await, "error: m answered with nothing");
    assert_eq!(
        answer(&[text("a")]).await,
        "error: m stopped working: the stream ended before the answer did"
    );
}

#[test]
fn an_overflow_says_by_how_much() {
    let error = BackendError::ContextOverflow {
        model: "m".into(),
        prompt_tokens: 900,
        is_estimate: false,
        answer_tokens: 200,
        limit: 1000,
    };
    assert_eq!(
        error.to_string(),
        "the prompt has 900 tokens and the answer may take 200: \
         100 more than the 1000 that m takes here"
    );
}
