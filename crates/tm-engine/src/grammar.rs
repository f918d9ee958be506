//! Answers that fit a JSON Schema, token by token.
//!
//! llguidance says which tokens may come next and which ones must: those that the schema forces
//! need no step of the model, and [`ending`] leads an answer to its end that does not come there
//! itself. Knows nothing of probabilities.

use std::sync::Arc;

use llama_cpp_2::{model::LlamaModel, sampling::LlamaSampler, token::LlamaToken};
use llguidance::{Matcher, ParserFactory, api::TopLevelGrammar, earley::SlicedBiasComputer};
use serde_json::{Value, json};
use toktrie::{InferenceCapabilities, SimpleVob, TokEnv, TokTrie, TokenizerEnv};

use self::ending::{Ending, Marks};
use crate::schema::{self, SchemaError};

mod ending;

/// From so many tokens before its end an answer is watched: whether what is open can be closed.
const WATCHED_TOKENS: u32 = 512;
/// The way to the end may be longer than it was found to be.
const SPARE_TOKENS: u32 = 8;

/// Compiles schemas for one model. Building it takes about half a second.
pub(crate) struct Grammars {
    factory: ParserFactory,
    tokens: TokEnv,
    marks: Marks,
}

impl Grammars {
    /// `forces_tokens` is for vocabularies that split a text the same way wherever it stands.
    pub(crate) fn new(model: &Arc<LlamaModel>, forces_tokens: bool) -> Result<Self, String> {
        let vocabulary = model.vocab();
        if vocabulary.eos().0 < 0 && vocabulary.eot().0 < 0 {
            return Err("the model has no token that ends an answer".to_owned());
        }
        let trie = LlamaSampler::llguidance_tok_env(model);
        let tokens: TokEnv =
            Arc::new(ModelTokens { model: Arc::clone(model), trie, forces_tokens });
        Self::of(&tokens, forces_tokens)
    }

    fn of(tokens: &TokEnv, forces_tokens: bool) -> Result<Self, String> {
        let capabilities =
            InferenceCapabilities { ff_tokens: forces_tokens, ..InferenceCapabilities::default() };
        let mut factory =
            ParserFactory::new(tokens, capabilities, &SlicedBiasComputer::json_slices())
                .map_err(|error| error.to_string())?;
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        Ok(Self { factory, tokens: Arc::clone(tokens), marks: Marks::of(tokens.tok_trie()) })
    }

    /// What holds an answer to `schema`.
    pub(crate) fn constraint(&self, schema: &Value) -> Result<Constraint, SchemaError> {
        let schema = schema::simplified(schema);
        schema::check(&schema)?;
        self.compile(schema.clone()).map_err(|reason| {
            let mut relaxed = schema.clone();
            for at in schema::one_ofs(&schema) {
                relaxed = schema::with_any_of(&relaxed, &at);
                if self.compile(relaxed.clone()).is_ok() {
                    return SchemaError::Overlapping { at: format!("#{at}") };
                }
            }
            SchemaError::Refused { reason }
        })
    }

    fn compile(&self, mut schema: Value) -> Result<Constraint, String> {
        if let Some(object) = schema.as_object_mut() {
            // Small models spend their tokens on white space when they are let.
            object.insert(
                "x-guidance".to_owned(),
                json!({ "whitespace_flexible": false, "item_separator": ",", "key_separator": ":" }),
            );
        }
        let grammar = TopLevelGrammar::from_json_schema(schema);
        let matcher = Matcher::new(self.factory.create_parser(grammar));
        match matcher.get_error() {
            None => Ok(Constraint {
                matcher,
                tokens: Arc::clone(&self.tokens),
                ending: Ending::new(self.marks.clone()),
                looks_at: WATCHED_TOKENS,
            }),
            Some(reason) => Err(reason),
        }
    }
}

/// How far one answer has come in its schema.
pub(crate) struct Constraint {
    matcher: Matcher,
    tokens: TokEnv,
    ending: Ending,
    /// With so many tokens left it is looked how many it takes to the end.
    looks_at: u32,
}

impl Constraint {
    /// The tokens that may come next.
    pub(crate) fn allowed(&mut self) -> Result<SimpleVob, String> {
        let allowed = self.matcher.compute_mask_or_eos().map_err(|error| error.to_string())?;
        Ok(self.ending.narrowed(&allowed).unwrap_or(allowed))
    }

    /// What has to come in place of `token` when the answer could not come to its end after it.
    /// `left` is how many tokens there are room for, and this is one of them.
    pub(crate) fn in_place_of(
        &mut self,
        token: LlamaToken,
        allowed: &SimpleVob,
        left: u32,
    ) -> Option<SimpleVob> {
        if left > self.looks_at || self.ending.is_cut() {
            return None;
        }
        let needed = self.to_the_end(token.0.cast_unsigned(), left)?;
        let spare = left.saturating_sub(needed.saturating_add(SPARE_TOKENS));
        if spare > 0 {
            // What is written until then opens less than twice as much as it has tokens.
            self.looks_at = left - spare.div_ceil(3);
            return None;
        }
        self.ending.close_all();
        self.ending.narrowed(allowed)
    }

    /// How many tokens it takes to the end after `token`, or more than are `left`; `None` when
    /// that cannot be told.
    fn to_the_end(&self, token: u32, left: u32) -> Option<u32> {
        let trie = self.tokens.tok_trie();
        let (mut matcher, mut ending) = (self.matcher.clone(), self.ending.clone());
        let mut next = token;
        for needed in 0..=left {
            matcher.consume_token(next).ok()?;
            ending.saw(trie.token(next));
            if matcher.is_stopped() || next == trie.eos_token() {
                return Some(needed);
            }
            next = ending.shortest(&matcher.compute_mask_or_eos().ok()?, trie)?;
        }
        Some(left.saturating_add(1))
    }

    /// Takes the next token; the answer is the tokens that must follow it.
    pub(crate) fn accept(&mut self, token: LlamaToken) -> Result<Vec<LlamaToken>, String> {
        let token = token.0.cast_unsigned();
        self.matcher.consume_token(token).map_err(|error| error.to_string())?;
        let forced = self.matcher.consume_ff_tokens();
        let trie = self.tokens.tok_trie();
        for token in std::iter::once(&token).chain(&forced) {
            self.ending.saw(trie.token(*token));
        }
        match self.matcher.get_error() {
            None => Ok(forced.into_iter().map(|id| LlamaToken(id.cast_signed())).collect()),
            Some(reason) => Err(reason),
        }
    }

    /// Whether nothing can be added.
    pub(crate) fn is_complete(&self) -> bool {
        self.matcher.is_stopped()
    }

    /// Whether it had to end because there was no room for more.
    pub(crate) fn is_cut(&self) -> bool {
        self.ending.is_cut()
    }
}

/// The model's own way to split a text; llguidance's is only approximate and so forces nothing.
struct ModelTokens {
    model: Arc<LlamaModel>,
    trie: TokEnv,
    forces_tokens: bool,
}

impl TokenizerEnv for ModelTokens {
    fn tok_trie(&self) -> &TokTrie {
        self.trie.tok_trie()
    }

    fn tokenize_bytes(&self, text: &[u8]) -> Vec<u32> {
        let tokens = self.model.vocab().tokenize(text, false, false);
        tokens.into_iter().map(|token| token.0.cast_unsigned()).collect()
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.forces_tokens
    }
}

#[cfg(test)]
mod tests;
