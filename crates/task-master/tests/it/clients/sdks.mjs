// Unmodified npm packages against the gateway at the base URL in argv[2]; fails on the first fault.
//
// The model behind the gateway says `SAID` to everything, and the smallest fitting JSON to a schema.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [base, packages] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${packages}/`));
const SAID = "Hello there, friend.";
const messages = [{ role: "user", content: "Hi" }];
const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

async function openai() {
  const { OpenAI } = require("openai");
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "local", maxRetries: 0 });
  const ask = { model: "gpt-4o", messages };
  const answer = await client.chat.completions.create(ask);
  assert.equal(answer.choices[0].message.content, SAID);
  let text = "";
  for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? "";
  }
  assert.equal(text, SAID);
  const tools = [{ type: "function", function: { name: "weather", parameters: schema } }];
  const forced = { type: "function", function: { name: "weather" } };
  const called = await client.chat.completions.create({ ...ask, tools, tool_choice: forced });
  assert.ok(JSON.parse(called.choices[0].message.tool_calls[0].function.arguments).city);
  const format = { type: "json_schema", json_schema: { name: "place", schema, strict: true } };
  const held = await client.chat.completions.create({ ...ask, response_format: format });
  assert.ok(JSON.parse(held.choices[0].message.content).city);
  const vectors = await client.embeddings.create({ model: "text-embedding-3-small", input: "a" });
  assert.deepEqual(vectors.data[0].embedding, [0.5, -0.25, 0]);
  const response = await client.responses.create({ model: "gpt-5", input: "Hi" });
  assert.equal(response.output_text, SAID);
  let said = "";
  for await (const event of await client.responses.create({
    model: "gpt-5",
    input: "Hi",
    stream: true,
  })) {
    if (event.type === "response.output_text.delta") said += event.delta;
  }
  assert.equal(said, SAID);
  await assert.rejects(client.chat.completions.create({ ...ask, messages: [] }), { status: 400 });
}

async function anthropic() {
  const { Anthropic } = require("@anthropic-ai/sdk");
  const client = new Anthropic({ baseURL: base, apiKey: "local", maxRetries: 0 });
  const ask = { model: "claude-sonnet-4", max_tokens: 200, messages };
  assert.equal((await client.messages.create(ask)).content[0].text, SAID);
  const final = await client.messages.stream(ask).finalMessage();
  assert.equal(final.content[0].text, SAID);
  const tools = [{ name: "weather", input_schema: schema }];
  const forced = { type: "tool", name: "weather" };
  const called = await client.messages.stream({ ...ask, tools, tool_choice: forced }).finalMessage();
  assert.equal(called.stop_reason, "tool_use");
  assert.ok(called.content[0].input.city);
  await assert.rejects(client.messages.create({ ...ask, messages: [] }), { status: 400 });
}

async function ollama() {
  const { Ollama } = require("ollama");
  const client = new Ollama({ host: base });
  const ask = { model: "llama3", messages };
  assert.equal((await client.chat(ask)).message.content, SAID);
  let text = "";
  for await (const part of await client.chat({ ...ask, stream: true })) text += part.message.content;
  assert.equal(text, SAID);
  const held = await client.chat({ ...ask, format: schema });
  assert.ok(JSON.parse(held.message.content).city);
  assert.ok((await client.list()).models.length);
  assert.equal((await client.embed({ model: "bge-m3", input: ["a", "b"] })).embeddings.length, 2);
}

for (const client of [openai, anthropic, ollama]) {
  await client();
  console.log(client.name, "is served");
}
