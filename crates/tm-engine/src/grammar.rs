//! Answers that fit a JSON Schema, token by token.
//!
//! llguidance says which tokens may come next and which ones must: those that the schema forces
//! need no step of the model. Knows nothing of probabilities.

use std::sync::Arc;

use llama_cpp_2::{model::LlamaModel, sampling::LlamaSampler, token::LlamaToken};
use llguidance::{Matcher, ParserFactory, api::TopLevelGrammar, earley::SlicedBiasComputer};
use serde_json::{Value, json};
use toktrie::{InferenceCapabilities, SimpleVob, TokEnv, TokTrie, TokenizerEnv};

use crate::schema::{self, SchemaError};

/// Compiles schemas for one model. Building it takes about half a second.
pub(crate) struct Grammars {
    factory: ParserFactory,
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
        Ok(Self { factory })
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
            None => Ok(Constraint { matcher }),
            Some(reason) => Err(reason),
        }
    }
}

/// How far one answer has come in its schema.
pub(crate) struct Constraint {
    matcher: Matcher,
}

impl Constraint {
    /// The tokens that may come next.
    pub(crate) fn allowed(&mut self) -> Result<SimpleVob, String> {
        self.matcher.compute_mask_or_eos().map_err(|error| error.to_string())
    }

    /// Takes the next token; the answer is the tokens that must follow it.
    pub(crate) fn accept(&mut self, token: LlamaToken) -> Result<Vec<LlamaToken>, String> {
        self.matcher.consume_token(token.0.cast_unsigned()).map_err(|error| error.to_string())?;
        let forced = self.matcher.consume_ff_tokens();
        match self.matcher.get_error() {
            None => Ok(forced.into_iter().map(|id| LlamaToken(id.cast_signed())).collect()),
            Some(reason) => Err(reason),
        }
    }

    /// Whether nothing can be added.
    pub(crate) fn is_complete(&self) -> bool {
        self.matcher.is_stopped()
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
