//! Which tokens are computed next, for everybody who waits.
//!
//! One thread owns the model's context. Each step computes one batch: the next tokens of every
//! answer that has begun, then as much of the waiting prompts as fits. A request that arrives
//! joins at the next step; what its prompt shares with anything already read is not read again.
//! Knows nothing of chat or JSON. Start at [`run`].

use std::{collections::VecDeque, io, sync::Arc, time::Instant};

use llama_cpp_2::{
    llama_backend::LlamaBackend,
    model::{LlamaLoraAdapter, LlamaModel},
    token::LlamaToken,
};
use tm_llm::backend::BackendError;
use tokio::sync::mpsc;

use crate::{
    answer::{Answer, Ended, Job, Next, broken},
    decode::{ContextSettings, Decoder, DecoderError},
    prefix::{
        Held, common_prefix,
        folder::{Finisher, Folder, Kept, WORTH_LOADING},
    },
    schedule::share::{Share, add_share},
    speculate::Gain,
};

mod share;

/// Of a prompt, while answers are under way: they go on every second or so.
const PROMPT_TOKENS_BESIDE_ANSWERS: usize = 64;
/// A prompt waits for another one to be read when that saves at least this many tokens.
const WORTH_WAITING_FOR: usize = 16;
/// So many other requests are many.
const MANY: usize = 4;
/// Tokens that a request is thought to need while the context is made, before all are known.
const USUAL_NEED: usize = 4096;
/// The context has room for so many of these, or for more requests that are shorter or about one
/// document, which is read once.
const USUAL_REQUESTS: usize = 4;

/// What the scheduler works with.
#[derive(Debug)]
pub(crate) struct ScheduleSettings {
    pub(crate) model: String,
    /// How many answers are worked on together.
    pub(crate) parallel: usize,
    /// Guess ahead when only one answer is under way.
    pub(crate) speculate: bool,
    pub(crate) context: ContextSettings,
    pub(crate) adapter: Option<LlamaLoraAdapter>,
    /// Where prompts are kept for the next engine.
    pub(crate) folder: Option<Arc<Folder>>,
}

/// Works until every sender of `jobs` is gone.
pub(crate) fn run(
    backend: &LlamaBackend,
    model: &LlamaModel,
    mut settings: ScheduleSettings,
    mut jobs: mpsc::Receiver<Job>,
) {
    let decoder = Decoder::new(backend, model, settings.context, settings.adapter.take());
    let sequences = usize::try_from(settings.context.sequences).unwrap_or(0);
    let mut schedule = Schedule {
        settings,
        model,
        decoder,
        waiting: VecDeque::new(),
        running: Vec::new(),
        used: vec![0; sequences],
        clock: 0,
        gain: Gain::default(),
        finisher: Finisher::default(),
    };
    while schedule.take_in(&mut jobs) {
        schedule.drop_interrupted();
        schedule.admit();
        schedule.step();
    }
    schedule.close(jobs);
}

/// A request that is being worked on.
struct Running {
    answer: Answer,
    sequence: usize,
    /// The prompt and the answer so far; the decoder holds all but the last few.
    tokens: Vec<LlamaToken>,
    /// The most tokens it can come to.
    limit: usize,
    ended: Option<Ended>,
}

/// What can be done for a waiting request.
enum Placement {
    Start(Option<Held>),
    /// Much of its prompt is in a file.
    Load(Kept),
    /// Another request is reading what it needs.
    Wait,
    /// There is no room beside the others.
    Full,
    /// The context is too small: for how many tokens it has to be made.
    Grow {
        least: usize,
        wanted: usize,
    },
}

struct Schedule<'model> {
    settings: ScheduleSettings,
    model: &'model LlamaModel,
    decoder: Decoder<'model>,
    waiting: VecDeque<Job>,
    running: Vec<Running>,
    /// When each sequence was last used, by `clock`.
    used: Vec<u64>,
    clock: u64,
    /// What guessing is worth.
    gain: Gain,
    finisher: Finisher,
}

impl Schedule<'_> {
    /// Takes all that has arrived, so that nobody's deadline goes unseen, and waits for it when there is nothing else to do; `false` when
    /// nothing will arrive any more.
    fn take_in(&mut self, jobs: &mut mpsc::Receiver<Job>) -> bool {
        if self.running.is_empty() && self.waiting.is_empty() {
            match jobs.blocking_recv() {
                Some(job) => self.waiting.push_back(job),
                None => return false,
            }
        }
        while let Ok(job) = jobs.try_recv() {
            self.waiting.push_back(job);
        }
        !jobs.is_closed()
    }

    fn close(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Ok(job) = jobs.try_recv() {
            self.waiting.push_back(job);
        }
        let closed = || broken(&self.settings.model, "the engine was closed".to_owned());
        for running in self.running {
            running.answer.end(Ended::Failed(closed()));
        }
        for job in self.waiting {
            job.refuse(Ended::Failed(closed()));
        }
    }

    fn drop_interrupted(&mut self) {
        let now = Instant::now();
        for running in &mut self.running {
            running.ended = running.answer.interrupted(now);
        }
        self.drop_ended();
        let model = &self.settings.model;
        for _ in 0..self.waiting.len() {
            let Some(job) = self.waiting.pop_front() else { break };
            match job.interrupted(model, now) {
                Some(ended) => job.refuse(ended),
                None => self.waiting.push_back(job),
            }
        }
    }

    /// What an ended answer has read stays held until its sequence is needed. Of one that has a form the
    /// prompt alone stays while many others are written: no later prompt is thought to begin with it, and
    /// whatever is held is looked through for each of their tokens.
    fn drop_ended(&mut self) {
        let mut cut = Vec::new();
        for running in self.running.extract_if(.., |running| running.ended.is_some()) {
            self.clock += 1;
            if let Some(used) = self.used.get_mut(running.sequence) {
                *used = self.clock;
            }
            cut.extend(running.answer.prompt_of_a_form().map(|it| (running.sequence, it)));
            running.answer.end(running.ended.unwrap_or(Ended::Cancelled));
        }
        let is_busy = self.running.len() + self.waiting.len() >= MANY && self.decoder.can_rewind();
        for (sequence, prompt) in cut.into_iter().filter(|_| is_busy) {
            let forgotten = self.decoder.truncate(sequence, prompt);
            forgotten.unwrap_or_else(|error| tracing::debug!(%error, "an answer stays held"));
        }
    }

    /// Starts waiting requests, first come first served, while there is room.
    fn admit(&mut self) {
        let mut index = 0;
        while self.running.len() < self.settings.parallel {
            let Some(job) = self.waiting.get(index) else { break };
            match self.placement(job) {
                Placement::Wait => index += 1,
                Placement::Full => break,
                Placement::Load(kept) => self.load(index, &kept),
                Placement::Start(held) => {
                    let Some(job) = self.waiting.remove(index) else { break };
                    self.start(job, held);
                }
                Placement::Grow { least, wanted } => {
                    let Err(error) = self.decoder.resize(least, wanted) else { continue };
                    let Some(job) = self.waiting.remove(index) else { break };
                    job.refuse(Ended::Failed(self.failure(&error)));
                }
            }
        }
    }

    fn placement(&self, job: &Job) -> Placement {
        let held = self.reusable(job);
        let reused = held.map_or(0, |held| held.tokens);
        let kept = job.kept.as_ref().filter(|kept| kept.common >= reused + WORTH_LOADING);
        let soon_reused = kept.map_or(reused, |kept| kept.common) + WORTH_WAITING_FOR;
        if self.soon_reusable(job) >= soon_reused {
            return Placement::Wait;
        }
        let limit = job.prompt.len() + usize::try_from(job.max_tokens).unwrap_or(usize::MAX);
        if let Some(kept) = kept
            && self.room_taken(None) + limit.max(kept.tokens) <= self.decoder.capacity()
        {
            return Placement::Load(kept.clone());
        }
        if self.room_taken(held) + limit - reused <= self.decoder.capacity() {
            return Placement::Start(held);
        }
        if !self.running.is_empty() {
            return Placement::Full;
        }
        let others = self.settings.parallel.clamp(1, USUAL_REQUESTS) - 1;
        Placement::Grow { least: limit, wanted: limit.max(USUAL_NEED) + others * USUAL_NEED }
    }

    /// What is already read of the job's prompt; its last token is read again, for its scores.
    fn reusable(&self, job: &Job) -> Option<Held> {
        let (_, start) = job.prompt.split_last()?;
        if self.decoder.can_rewind() { self.decoder.held().longest_prefix(start) } else { None }
    }

    /// How much of the job's prompt the requests that are under way will have read.
    fn soon_reusable(&self, job: &Job) -> usize {
        if !self.decoder.can_rewind() {
            return 0;
        }
        let start = job.prompt.split_last().map_or(&[][..], |(_, start)| start);
        let prompts = self.running.iter().map(|running| common_prefix(&running.tokens, start));
        prompts.max().unwrap_or(0)
    }

    /// Cells that the running requests hold or will come to need, with `held` kept as well.
    fn room_taken(&self, held: Option<Held>) -> usize {
        let sequences = self.decoder.held();
        let mut still_needed = 0;
        let prefixes = self.running.iter().map(|running| {
            let tokens = sequences.len(running.sequence);
            still_needed += running.limit.saturating_sub(tokens);
            Held { sequence: running.sequence, tokens }
        });
        let cells = sequences.cells(prefixes.chain(held));
        cells + still_needed
    }

    /// Makes an idle sequence hold what a file has. When that cannot be, the prompt is read.
    fn load(&mut self, index: usize, kept: &Kept) {
        if let Some(job) = self.waiting.get_mut(index) {
            job.kept = None;
        }
        let sequence = self.free_sequence(None);
        match self.decoder.load(&kept.path, sequence) {
            Ok(()) => tracing::debug!(tokens = kept.tokens, "a prefix was loaded"),
            Err(error) => tracing::debug!(%error, "a prefix could not be loaded"),
        }
    }

    fn start(&mut self, job: Job, held: Option<Held>) {
        let sequence = self.free_sequence(held);
        let prepared = match held {
            Some(held) => self.decoder.copy(held, sequence),
            None => self.decoder.truncate(sequence, 0),
        };
        if let Err(error) = prepared {
            job.refuse(Ended::Failed(self.failure(&error)));
            return;
        }
        let limit = job.prompt.len() + usize::try_from(job.max_tokens).unwrap_or(0);
        let cached = held.map_or(0, |held| held.tokens);
        let (answer, tokens) = Answer::start(self.settings.model.clone(), job, cached);
        self.running.push(Running { answer, sequence, tokens, limit, ended: None });
    }

    /// The sequence itself that holds most of what is needed, when it is idle and hardly more
    /// would be lost; else the one that has been idle longest.
    fn free_sequence(&self, held: Option<Held>) -> usize {
        let idle =
            |sequence: &usize| !self.running.iter().any(|running| running.sequence == *sequence);
        if let Some(held) = held.filter(|held| idle(&held.sequence)) {
            let length = self.decoder.held().len(held.sequence);
            if held.tokens * 2 >= length {
                return held.sequence;
            }
        }
        let source = held.map(|held| held.sequence);
        let others = (0..self.used.len()).filter(idle).filter(|one| Some(*one) != source);
        let oldest = others.min_by_key(|sequence| {
            let empty = self.decoder.held().len(*sequence) == 0;
            (!empty, self.used.get(*sequence).copied())
        });
        oldest.or(source).unwrap_or(0)
    }

    fn step(&mut self) {
        let shares = self.fill_batch();
        if shares.is_empty() {
            return;
        }
        let begun = Instant::now();
        match self.decoder.compute() {
            Ok(()) => {
                let begin = shares.iter().filter(|share| self.begins(share));
                let begin: Vec<usize> = begin.map(|share| share.running).collect();
                for share in &shares {
                    let right = self.read_scores(share);
                    // Other steps say nothing of what a guess costs.
                    if share.is_alone {
                        self.gain.took(share.guesses.len(), right, begun.elapsed());
                    }
                }
                for running in begin {
                    if let Err(error) = self.keep(running) {
                        tracing::debug!(%error, "a prefix could not be kept");
                    }
                }
            }
            Err(DecoderError::NoRoom) if self.forget_oldest() => {}
            Err(error) => self.fail_all(&error),
        }
        self.drop_ended();
    }

    /// The next tokens of every answer, then of the prompts in the order of their arrival.
    fn fill_batch(&mut self) -> Vec<Share> {
        self.decoder.start_batch();
        let alone = self.settings.speculate
            && self.decoder.can_rewind()
            && matches!(self.running.as_slice(), [only] if only.answer.has_begun());
        let mut shares = Vec::new();
        for (index, running) in self.running.iter().enumerate() {
            if running.answer.has_begun() {
                let ahead = if alone { Some(&mut self.gain) } else { None };
                let share = add_share(&mut self.decoder, (index, running), ahead, usize::MAX);
                shares.extend(share);
            }
        }
        let mut budget = if shares.is_empty() { usize::MAX } else { PROMPT_TOKENS_BESIDE_ANSWERS };
        for (index, running) in self.running.iter().enumerate() {
            if !running.answer.has_begun() {
                let room = self.decoder.batch_room();
                let share = add_share(&mut self.decoder, (index, running), None, budget);
                budget -= room - self.decoder.batch_room();
                shares.extend(share);
            }
        }
        shares
    }

    /// Whether the scores are those after a prompt.
    fn begins(&self, share: &Share) -> bool {
        let running = self.running.get(share.running);
        !share.scores.is_empty() && running.is_some_and(|it| !it.answer.has_begun())
    }

    /// Keeps a prompt that took long to read. The sequence holds nothing else yet.
    fn keep(&mut self, index: usize) -> io::Result<()> {
        let (Some(folder), Some(running)) = (&self.settings.folder, self.running.get(index)) else {
            return Ok(());
        };
        if !self.decoder.can_rewind() || !running.answer.is_worth_keeping(folder) {
            return Ok(());
        }
        let sequence = running.sequence;
        let held = self.decoder.held();
        let prompt = held.start(sequence, held.len(sequence)).unwrap_or_default();
        let Some(draft) = folder.draft(prompt)? else { return Ok(()) };
        if let Err(error) = self.decoder.save(sequence, &draft.beside) {
            drop(std::fs::remove_file(&draft.beside));
            return Err(io::Error::other(error));
        }
        self.finisher.finish(Arc::clone(folder), draft)
    }

    /// Lets an answer go on as far as the computed scores reach; how many guesses were right.
    fn read_scores(&mut self, share: &Share) -> usize {
        let Some(running) = self.running.get_mut(share.running) else { return 0 };
        let vocabulary = self.model.vocab();
        let mut guesses = share.guesses.as_slice();
        let mut right = 0;
        while let Some(index) = share.scores.get(right) {
            let scores = self.decoder.scores(*index);
            match running.answer.next(&vocabulary, scores) {
                Ok(Next::Tokens(tokens)) => {
                    let same = common_prefix(guesses, &tokens);
                    running.tokens.extend(&tokens);
                    guesses = guesses.get(same..).unwrap_or_default();
                    right += same;
                    if same < tokens.len() || same == 0 {
                        break;
                    }
                }
                Ok(Next::Finished(finish)) => {
                    running.ended = Some(Ended::Finished(finish));
                    break;
                }
                Err(error) => {
                    running.ended = Some(Ended::Failed(error));
                    break;
                }
            }
        }
        let wrong = guesses.len();
        if wrong > 0 {
            let held = self.decoder.held().len(running.sequence);
            let sequence = running.sequence;
            if let Err(error) = self.decoder.truncate(sequence, held - wrong) {
                self.fail_all(&error);
            }
        }
        right
    }

    /// Frees the cells of the sequence that has been idle longest; `false` when none is idle.
    fn forget_oldest(&mut self) -> bool {
        let oldest = (0..self.used.len())
            .filter(|sequence| !self.running.iter().any(|one| one.sequence == *sequence))
            .filter(|sequence| self.decoder.held().len(*sequence) > 0)
            .min_by_key(|sequence| self.used.get(*sequence).copied());
        oldest.is_some_and(|sequence| self.decoder.truncate(sequence, 0).is_ok())
    }

    /// The context is in an unknown state: everybody starts anew.
    fn fail_all(&mut self, error: &DecoderError) {
        tracing::error!(model = self.settings.model, %error, "the model's context failed");
        self.decoder.reset();
        for running in &mut self.running {
            let reason = error.to_string();
            running.ended = Some(Ended::Failed(broken(&self.settings.model, reason)));
        }
    }

    fn failure(&self, error: &DecoderError) -> BackendError {
        let model = self.settings.model.clone();
        match error {
            &DecoderError::OutOfMemory { needed, available } => BackendError::OutOfMemory {
                model,
                needed_mib: needed >> 20,
                available_mib: available >> 20,
            },
            DecoderError::NoRoom | DecoderError::Broken(_) => {
                BackendError::Broken { model, reason: error.to_string() }
            }
        }
    }
}
