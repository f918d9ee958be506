//! That forcing tokens changes nothing but the time: tests with the real test model.
//!
//! A forced token is one that the schema leaves no choice in. Drawn one by one it could only be cut
//! into other tokens.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::*;
use crate::{
    decode::{
        Decoder,
        tests::{decoder_with, model},
    },
    grammar::Grammars,
    memory::cores,
};

/// Writes answers to one prompt after another, each token computed once.
struct Writer<'model> {
    decoder: Decoder<'model>,
    vocabulary: LlamaVocab<'model>,
    forcing: Grammars,
    plain: Grammars,
}

/// What was forced and what would have been drawn in its place.
type Difference = (String, String);

impl Writer<'_> {
    fn new() -> Option<Self> {
        let model = model()?;
        Some(Self {
            decoder: decoder_with(model, cores()),
            vocabulary: model.1.vocab(),
            forcing: Grammars::new(&model.1, true).unwrap(),
            plain: Grammars::new(&model.1, false).unwrap(),
        })
    }

    fn text(&self, tokens: &[LlamaToken]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for token in tokens {
            self.vocabulary.token_to_piece_into(*token, &mut bytes, false, None);
        }
        bytes
    }

    /// Reads what is not read yet of `tokens`; the scores after each of the last `count`.
    fn scores(&mut self, tokens: &[LlamaToken], count: usize) -> Vec<Vec<f32>> {
        let held = self.decoder.held().longest_prefix(tokens).map_or(0, |held| held.tokens);
        let kept = held.min(tokens.len() - count);
        self.decoder.truncate(0, kept).unwrap();
        let mut scores = Vec::new();
        for part in tokens[kept..].chunks(64) {
            self.decoder.start_batch();
            let places: Vec<_> =
                part.iter().map(|token| self.decoder.add(0, *token, true).unwrap()).collect();
            self.decoder.compute().unwrap();
            scores.extend(places.iter().map(|place| self.decoder.scores(*place).to_vec()));
        }
        scores.split_off(scores.len() - count)
    }

    /// The likeliest answer as the engine writes it, and each forced token that would not have been
    /// drawn after the same tokens.
    fn write(&mut self, prompt: &str, schema: &Value) -> (Value, Vec<Difference>) {
        let prompt = self.vocabulary.tokenize(prompt.as_bytes(), true, true);
        let mut forcing = self.forcing.constraint(schema).unwrap();
        let mut plain = self.plain.constraint(schema).unwrap();
        let mut answer: Vec<LlamaToken> = Vec::new();
        let mut unread = 1;
        let mut differences = Vec::new();
        while !forcing.is_complete() && answer.len() < 100 {
            let scores = self.scores(&[prompt.as_slice(), &answer].concat(), unread);
            let forced = answer[answer.len() + 1 - unread..].to_vec();
            for (token, scores) in forced.iter().zip(&scores) {
                differences.extend(self.difference(&mut plain, *token, scores));
            }
            let scores = &scores[forced.len()];
            let has_choice = forcing.allowed().unwrap().num_set() > 1;
            let token = likeliest(&mut forcing, scores).unwrap();
            if self.vocabulary.is_eog(token) {
                break;
            }
            let difference = self.difference(&mut plain, token, scores);
            assert!(!has_choice || difference.is_none(), "{difference:?} where there is a choice");
            differences.extend(difference);
            let forced = forcing.accept(token).unwrap();
            answer.push(token);
            unread = 1 + forced.len();
            answer.extend(forced);
        }
        (serde_json::from_slice(&self.text(&answer)).unwrap(), differences)
    }

    /// What would have been drawn instead of `token`; the answer goes on with `token`.
    fn difference(
        &self,
        plain: &mut Constraint,
        token: LlamaToken,
        scores: &[f32],
    ) -> Option<Difference> {
        let drawn = likeliest(plain, scores).unwrap();
        plain.accept(token).unwrap();
        let text = |token| String::from_utf8_lossy(&self.text(&[token])).into_owned();
        (drawn != token).then(|| (text(token), text(drawn)))
    }
}

fn likeliest(constraint: &mut Constraint, scores: &[f32]) -> Option<LlamaToken> {
    let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
    Sampler::new(sampling).choose(scores, Some(&constraint.allowed().unwrap()))
}

/// Ten schemas of what plans and tools say.
fn schemas() -> Vec<Value> {
    let object = |properties: Value| {
        let names: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
        json!({ "type": "object", "properties": properties, "required": names,
            "additionalProperties": false })
    };
    let words =
        |most: u32| json!({ "type": "string", "pattern": "^[a-z]+( [a-z]+)?$", "maxLength": most });
    vec![
        object(json!({ "priority": { "enum": ["high", "medium", "low"] } })),
        object(
            json!({ "id": { "const": 17 }, "status": { "enum": ["pending", "in-progress", "done"] } }),
        ),
        object(json!({ "title": words(24) })),
        object(json!({ "complexity": { "type": "integer", "minimum": 1, "maximum": 10 } })),
        object(
            json!({ "is_done": { "type": "boolean" }, "reason": { "type": ["string", "null"], "maxLength": 8 } }),
        ),
        object(json!({ "dependencies": {
            "type": "array", "items": { "enum": [1, 2, 3, 11, 12] }, "minItems": 1, "maxItems": 3
        } })),
        object(
            json!({ "task": object(json!({ "name": words(10), "hours": { "enum": [0.5, 1, 2.25] } })) }),
        ),
        json!({ "enum": ["na\u{ef}ve", "caf\u{e9} \u{1f980}", "\u{65e5}\u{672c}", "plain \"quoted\""] }),
        json!({ "type": "array", "prefixItems": [{ "const": "first" }, words(8)], "items": false,
            "minItems": 2, "maxItems": 2 }),
        object(
            json!({ "very_long_name_of_a_property": { "const": "with a value that is long as well" },
            "n": { "type": "integer", "minimum": -5, "maximum": 120 } }),
        ),
    ]
}

const SUBJECTS: [&str; 20] = [
    "a shop for old books",
    "the login page",
    "a bakery",
    "rain in spring",
    "42 apples",
    "caf\u{e9}s in Paris",
    "a database index",
    "horses",
    "the colour of the sea",
    "a test plan",
    "an e-mail to Bob",
    "bridges",
    "the number seven",
    "\u{65e5}\u{672c}",
    "music",
    "a slow computer",
    "winter",
    "tasks that wait",
    "JSON",
    "nothing at all",
];

/// What would have been drawn where another token was forced has to be another cut of the same
/// text: then one of both begins with the other.
#[test]
fn with_a_real_model_two_hundred_answers_are_the_same_whether_tokens_are_forced_or_drawn() {
    let Some(mut writer) = Writer::new() else { return };
    let mut cuts: BTreeMap<Difference, u32> = BTreeMap::new();
    for schema in schemas() {
        for subject in SUBJECTS {
            let prompt = format!("About {subject}, as JSON:\n");
            let (value, differences) = writer.write(&prompt, &schema);
            for (forced, drawn) in differences {
                let is_cut = forced.starts_with(&drawn) || drawn.starts_with(&forced);
                assert!(is_cut, "{value}: {forced:?} was forced and {drawn:?} drawn");
                *cuts.entry((forced, drawn)).or_insert(0) += 1;
            }
        }
    }
    eprintln!("forced, and drawn in another cut: {cuts:?}");
}

/// How likely each value is when every token is drawn from those that the schema allows.
fn likelihoods(
    writer: &mut Writer<'_>,
    prompt: &[LlamaToken],
    schema: &Value,
) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    let mut open = vec![(Vec::<LlamaToken>::new(), 1.0)];
    while let Some((answer, likelihood)) = open.pop() {
        let mut constraint = writer.plain.constraint(schema).unwrap();
        for token in &answer {
            constraint.accept(*token).unwrap();
        }
        if constraint.is_complete() {
            let text = String::from_utf8(writer.text(&answer)).unwrap();
            *found.entry(text).or_insert(0.0) += likelihood;
            continue;
        }
        let scores = writer.scores(&[prompt, &answer].concat(), 1).remove(0);
        let allowed = constraint.allowed().unwrap();
        let score = |id: u32| f64::from(scores[usize::try_from(id).unwrap()]);
        let best = allowed.iter().map(score).fold(f64::MIN, f64::max);
        let total: f64 = allowed.iter().map(|id| (score(id) - best).exp()).sum();
        for id in allowed.iter() {
            let share = (score(id) - best).exp() / total;
            if likelihood * share > 1e-5 {
                let token = LlamaToken(id.cast_signed());
                if writer.vocabulary.is_eog(token) {
                    let text = String::from_utf8(writer.text(&answer)).unwrap();
                    *found.entry(text).or_insert(0.0) += likelihood * share;
                } else {
                    open.push(([answer.as_slice(), &[token]].concat(), likelihood * share));
                }
            }
        }
    }
    found
}

const DRAWS: u32 = 2000;

/// Pearson's test at 0.1 %, for the values that are expected five times at least.
#[test]
fn with_a_real_model_forcing_tokens_leaves_the_values_as_likely_as_they_were() {
    let Some(mut writer) = Writer::new() else { return };
    let colours =
        json!({ "enum": ["red", "green", "blue", "yellow", "orange", "grey", "greenish"] });
    let prompt = "The sky, the grass, the sun. A colour, as JSON:\n";
    let prompt = writer.vocabulary.tokenize(prompt.as_bytes(), true, true);
    let expected = likelihoods(&mut writer, &prompt, &colours);
    assert!((expected.values().sum::<f64>() - 1.0).abs() < 0.001, "{expected:?}");

    let mut known: HashMap<Vec<LlamaToken>, Vec<f32>> = HashMap::new();
    let mut drawn: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..DRAWS {
        let sampling = Sampling {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            seed: u64::from(seed) << 20,
            ..Sampling::default()
        };
        let mut sampler = Sampler::new(sampling);
        let mut constraint = writer.forcing.constraint(&colours).unwrap();
        let mut answer: Vec<LlamaToken> = Vec::new();
        while !constraint.is_complete() {
            if !known.contains_key(&answer) {
                let scores = writer.scores(&[prompt.as_slice(), &answer].concat(), 1).remove(0);
                known.insert(answer.clone(), scores);
            }
            let allowed = constraint.allowed().unwrap();
            let token = sampler.choose(&known[&answer], Some(&allowed)).unwrap();
            if writer.vocabulary.is_eog(token) {
                break;
            }
            let forced = constraint.accept(token).unwrap();
            answer.push(token);
            answer.extend(forced);
        }
        *drawn.entry(String::from_utf8(writer.text(&answer)).unwrap()).or_insert(0) += 1;
    }
    let mut chi_square = 0.0;
    let mut counted = 0;
    for (value, likelihood) in &expected {
        let times = likelihood * f64::from(DRAWS);
        let found = f64::from(drawn.get(value).copied().unwrap_or(0));
        if times >= 5.0 {
            chi_square += (found - times).powi(2) / times;
            counted += 1;
        }
    }
    // The 99.9 % quantiles for 1 to 6 degrees of freedom.
    let limit = [10.83, 13.82, 16.27, 18.47, 20.52, 22.46][counted - 2];
    assert!(chi_square < limit, "{chi_square}: {expected:?} and {drawn:?}");
}
