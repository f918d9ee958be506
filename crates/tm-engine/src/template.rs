//! A conversation becomes the text a model was trained on.
//!
//! Every GGUF brings its own Jinja template; this renders it the way the model's makers do, in
//! Python. Knows nothing of tokens.

use std::borrow::Cow;

use jiff::{ZonedDateTime, fmt::strtime};
use minijinja::{Environment, Error, ErrorKind, context, syntax::SyntaxConfig, value::Value};
use minijinja_contrib::pycompat::unknown_method_callback;
use tm_llm::chat::{Message, Role};

const NAME: &str = "chat";

/// A compiled chat template.
#[derive(Debug)]
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
    special: SpecialTokens,
}

/// Texts that stand for tokens with a meaning of their own.
#[derive(Debug, Default)]
pub(crate) struct SpecialTokens {
    /// Begins a text; empty for a model that has no such token.
    pub(crate) bos: String,
    /// Ends a text.
    pub(crate) eos: String,
    /// All that a message must not hold, or it could end its own turn and begin another.
    pub(crate) control: Vec<String>,
}

impl ChatTemplate {
    pub(crate) fn compile(source: &str, special: SpecialTokens) -> Result<Self, String> {
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        let mut environment = Environment::new();
        environment.set_syntax(syntax.map_err(|error| reason(&error))?);
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| reason(&error))?;
        Ok(Self { environment, special })
    }

    /// How the template writes the token that begins a text.
    pub(crate) fn bos(&self) -> &str {
        &self.special.bos
    }

    /// The prompt, up to where the assistant's answer begins. Words of the assistant at the end are the
    /// beginning of that answer, which goes on from there.
    pub(crate) fn render(&self, messages: &[Message]) -> Result<String, String> {
        let (messages, begun) = match messages.split_last() {
            Some((last, said)) if last.role == Role::Assistant => (said, Some(last)),
            Some(_) | None => (messages, None),
        };
        let messages: Vec<Value> = messages
            .iter()
            .map(|message| {
                context! { role => role(message.role), content => self.harmless(&message.content) }
            })
            .collect();
        let variables = context! {
            messages,
            add_generation_prompt => true,
            bos_token => self.special.bos.as_str(),
            eos_token => self.special.eos.as_str(),
        };
        let template = self.environment.get_template(NAME).map_err(|error| reason(&error))?;
        let mut prompt = template.render(variables).map_err(|error| reason(&error))?;
        if let Some(begun) = begun {
            prompt.push_str(&self.harmless(&begun.content));
        }
        Ok(prompt)
    }

    /// A message with a space in every control token's text, so that it is text and no token.
    fn harmless<'a>(&self, content: &'a str) -> Cow<'a, str> {
        let mut content = Cow::Borrowed(content);
        for token in &self.special.control {
            if content.contains(token.as_str())
                && let Some(first) = token.chars().next()
            {
                let (head, tail) = token.split_at(first.len_utf8());
                content = Cow::Owned(content.replace(token.as_str(), &format!("{head} {tail}")));
            }
        }
        content
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// What the template refuses, such as roles that do not alternate.
fn raise_exception(message: String) -> Result<String, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

fn strftime_now(format: &str) -> Result<String, Error> {
    strtime::format(format, &ZonedDateTime::now())
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
}

fn reason(error: &Error) -> String {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("{detail} (line {line} of the chat template)"),
        None => detail,
    }
}

#[cfg(test)]
mod tests;
