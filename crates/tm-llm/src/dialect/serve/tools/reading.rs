//! What a model says that may call tools, read while it comes.
//!
//! It writes documents: `{"reply": TEXT}`, whose text is told as it grows, and
//! `{"tool": NAME, "arguments": {...}}`, which are calls when they are whole. A model that is not
//! held to that may answer in plain words, which are a reply as well. Start at [`Reading::push`].

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{AnswerForm, ClientError, ToolCall, ToolChoice};
use crate::chat::FinishReason;

/// An answer of some form, as far as it came.
#[derive(Debug)]
pub struct Reading {
    asked: Asked,
    state: State,
    /// What is not understood yet.
    held: String,
}

#[derive(Debug)]
enum Asked {
    /// Words, or a document that is the answer.
    Text,
    /// The arguments of this tool.
    Arguments(String),
    /// A call of one of these tools, or a reply if one may be given.
    Calls { known: Vec<String>, may_reply: bool, is_single: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A document comes.
    Start,
    /// In the text of a reply.
    Reply,
    /// Behind the text of a reply.
    Replied,
    /// Calls, which are read at the end.
    Calls,
    /// Plain words.
    Words,
}

/// What a model writes.
#[derive(Debug, Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    tool: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    reply: Option<Cow<'a, str>>,
}

/// How a reply begins, white space aside.
const REPLY: [&str; 4] = ["{", "\"reply\"", ":", "\""];

impl Reading {
    pub fn new(form: &AnswerForm) -> Self {
        let asked = match form {
            AnswerForm::Text | AnswerForm::Json(_) => Asked::Text,
            AnswerForm::Tools { choice: ToolChoice::Named(name), .. } => {
                Asked::Arguments(name.clone())
            }
            AnswerForm::Tools { tools, choice, is_single } => Asked::Calls {
                is_single: *is_single,
                known: tools.iter().map(|it| it.name.clone()).collect(),
                may_reply: *choice == ToolChoice::Auto,
            },
        };
        Self { asked, state: State::Start, held: String::new() }
    }

    /// Takes more of the answer; the words for the client in it.
    pub fn push(&mut self, delta: String) -> String {
        let may_reply = match &self.asked {
            Asked::Text => return delta,
            Asked::Arguments(_) => false,
            Asked::Calls { may_reply, .. } => *may_reply,
        };
        self.held.push_str(&delta);
        let mut words = String::new();
        while may_reply && self.step(&mut words) {}
        words
    }

    /// What is left at the end: more words, and the calls. Of an answer that was cut, a call that is
    /// not whole is none.
    ///
    /// # Errors
    /// [`ClientError::Failed`] when it does not fit, which a backend that holds its model to a schema
    /// never lets happen.
    pub fn end(&mut self, finish: FinishReason) -> Result<(String, Vec<ToolCall>), ClientError> {
        let held = std::mem::take(&mut self.held);
        let is_cut = finish == FinishReason::Length;
        let (known, may_reply, is_single) = match &self.asked {
            Asked::Text => return Ok((String::new(), Vec::new())),
            Asked::Arguments(name) => {
                return match serde_json::from_str::<&RawValue>(&held) {
                    Ok(arguments) => Ok((String::new(), vec![called(name, arguments)])),
                    Err(_) if is_cut => Ok((String::new(), Vec::new())),
                    Err(_) => Err(unfit()),
                };
            }
            Asked::Calls { known, may_reply, is_single } => (known, *may_reply, *is_single),
        };
        match self.state {
            // What is left of a text that ended within a character.
            State::Reply | State::Replied | State::Words => return Ok(Default::default()),
            State::Start | State::Calls => {}
        }
        let (mut words, mut calls) = (String::new(), Vec::new());
        for written in serde_json::Deserializer::from_str(&held).into_iter::<Written<'_>>() {
            match written {
                Ok(Written { reply: Some(reply), .. }) => words.push_str(&reply),
                Ok(Written { tool: Some(name), arguments: Some(arguments), .. })
                    if known.iter().any(|it| *it == name) =>
                {
                    calls.push(called(&name, arguments));
                }
                Err(_) if is_cut => break,
                Ok(_) | Err(_) => return Err(unfit()),
            }
        }
        if is_single {
            calls.truncate(1);
        }
        if calls.is_empty() && !may_reply && !is_cut { Err(unfit()) } else { Ok((words, calls)) }
    }

    /// One step through what is held; false when more has to come first.
    fn step(&mut self, words: &mut String) -> bool {
        match self.state {
            State::Start => self.begin(),
            State::Reply => {
                let (text, read) = text(&self.held);
                words.push_str(&text);
                self.held.drain(..read);
                let has_ended = self.held.starts_with('"');
                if has_ended {
                    self.state = State::Replied;
                }
                has_ended
            }
            State::Replied => {
                let Some(end) = self.held.find('}') else { return false };
                self.held.drain(..=end);
                self.state = State::Start;
                true
            }
            State::Words => {
                words.push_str(&std::mem::take(&mut self.held));
                false
            }
            State::Calls => false,
        }
    }

    fn begin(&mut self) -> bool {
        let mut rest = self.held.trim_start();
        if rest.is_empty() {
            return false;
        }
        for mark in REPLY {
            rest = rest.trim_start();
            match rest.strip_prefix(mark) {
                Some(after) => rest = after,
                None if mark.starts_with(rest) => return false,
                None => {
                    let is_document = mark != "{";
                    self.state = if is_document { State::Calls } else { State::Words };
                    return true;
                }
            }
        }
        let read = self.held.len() - rest.len();
        self.held.drain(..read);
        self.state = State::Reply;
        true
    }
}

fn called(name: &str, arguments: &RawValue) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments: arguments.get().to_owned() }
}

fn unfit() -> ClientError {
    ClientError::Failed { message: "the model gave an unusable tool call".into() }
}

/// The text of a JSON string up to its end, or as far as whole characters came; and how many bytes
/// that is there.
fn text(written: &str) -> (String, usize) {
    let mut text = String::new();
    let mut read = 0;
    while let Some(rest) = written.get(read..).filter(|it| !it.is_empty()) {
        let plain = rest.find(['"', '\\']).unwrap_or(rest.len());
        text.push_str(rest.get(..plain).unwrap_or_default());
        read += plain;
        let rest = rest.get(plain..).unwrap_or_default();
        if !rest.starts_with('\\') {
            break;
        }
        // A character may be written as two escapes of six.
        let escaped = |length: usize| {
            let written = rest.get(..length)?;
            Some((serde_json::from_str::<String>(&format!("\"{written}\"")).ok()?, length))
        };
        let Some((character, length)) = escaped(2).or_else(|| escaped(6)).or_else(|| escaped(12))
        else {
            // What is no escape at all would be waited for without end.
            if rest.len() >= 12 {
                read += 1;
                continue;
            }
            break;
        };
        text.push_str(&character);
        read += length;
    }
    (text, read)
}
