/** The input of a skill from a conversation: JSON, text, a file, images and earlier turns. */
import { describe, expect, it } from 'vitest';
import { skillInput } from '../../../src/application/skills/input.ts';

import type { Json, JsonObject } from '../../../src/types/json.ts';
import type { Skill } from '../../../src/types/skill.ts';

const skillOf = (properties: JsonObject, required: string[] = [], converses = false): Skill =>
  ({
    describe: () => ({ inputSchema: { type: 'object', properties, required }, outputSchema: null }),
    ...(converses ? { converses: true } : {}),
  }) as unknown as Skill;
const text = skillOf({ text: { type: 'string' } }, ['text']);
const documents = skillOf({ text: { type: 'string' }, document: { type: 'object' }, instructions: { type: 'string' } });
const ask = (skill: Skill, content: Json, more: JsonObject = {}, earlier: JsonObject[] = []) =>
  skillInput({ model: 'skill/x', messages: [...earlier, { role: 'user', content }], ...more }, skill);
const file = { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } };
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };

describe('the last message', () => {
  it.each<[string, Skill, Json, Json]>([
    ['JSON is the input', text, '{"a": 1}', { a: 1 }],
    ['what only looks like JSON is a text', text, '{ not JSON', { text: '{ not JSON' }],
    ['a list in JSON is a text', text, '[1]', { text: '[1]' }],
    ['parts of text are one text', text, [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }], { text: 'ab' }],
    ['words go to the one text that is needed', skillOf({ city: { type: 'string' } }, ['city']), 'Suzhou', { city: 'Suzhou' }],
    ['but not where two are', skillOf({ a: { type: 'string' }, b: { type: 'string' } }, ['a', 'b']), 'x', { text: 'x' }],
    ['nor to what is no text', skillOf({ count: { type: 'integer' } }, ['count']), '3', { text: '3' }],
    ['a file is the document', documents, [file], { document: { name: 'a.pdf', media_type: 'application/pdf', base64: 'AAAA' } }],
    ['words beside a file say what to do', documents, [{ type: 'text', text: 'Dates only' }, file], { instructions: 'Dates only', document: { name: 'a.pdf', media_type: 'application/pdf', base64: 'AAAA' } }],
    ['JSON beside a file is all the rest', documents, [{ type: 'text', text: '{"schema": {}}' }, file], { schema: {}, document: { name: 'a.pdf', media_type: 'application/pdf', base64: 'AAAA' } }],
  ])('%s', (_name, skill, content, input) => {
    expect(ask(skill, content).input).toEqual(input);
  }); // prettier-ignore

  it('is the whole input of most kinds; earlier turns and images go to kinds that converse', () => {
    const earlier = [
      { role: 'user', content: 'I am Ann.' },
      { role: 'assistant', content: 'Hello.' },
    ];
    const content = [{ type: 'text', text: 'See' }, picture];
    const asked = ask(skillOf({ text: { type: 'string' } }, ['text'], true), content, {}, earlier);
    expect(asked).toEqual({ input: { text: 'See' }, conversation: { before: earlier, attached: [picture] }, warnings: [] });
    expect(() => ask(text, content)).toThrow(expect.objectContaining({ code: 'unsupported_parameter', param: 'messages[0].content[1]' }));
  });

  it('is the last one of the user, even when the assistant continues', () => {
    const messages = [
      { role: 'user', content: 'one' },
      { role: 'user', content: 'two' },
      { role: 'assistant', content: 'three' },
    ];
    expect(skillInput({ model: 'm', messages }, text).input).toEqual({ text: 'two' });
    expect(() => skillInput({ model: 'm', messages: [{ role: 'system', content: 'x' }] }, text)).toThrow(/role "user"/);
  });
});

it('a skill with the field messages gets the whole conversation', () => {
  const asked = ask(skillOf({ messages: { type: 'array' } }), 'two', {}, [{ role: 'user', content: 'one' }]);
  expect(asked.input).toEqual({
    messages: [
      { role: 'user', content: 'one' },
      { role: 'user', content: 'two' },
    ],
  });
});

describe('other fields of a chat request', () => {
  it('are reported where the skill decides them, and refused where they would change the meaning', () => {
    expect(ask(text, 'x', { temperature: 0, max_tokens: 5, stop: null, user: 'me' }).warnings).toEqual([
      'temperature: a skill decides this itself',
      'max_tokens: a skill decides this itself',
    ]);
    const mine = [{ type: 'function', function: { name: 'mine' } }];
    expect(ask(text, 'x', { tools: mine }).warnings).toEqual(['tools left out: a skill has its own']);
    expect(() => ask(text, 'x', { tools: mine, tool_choice: 'required' })).toThrow(expect.objectContaining({ param: 'tool_choice' }));
    expect(() => ask(text, 'x', { n: 2 })).toThrow(expect.objectContaining({ param: 'n' }));
    expect(() => ask(documents, [file, file])).toThrow(expect.objectContaining({ param: 'messages[0].content[1]' }));
    expect(ask(text, 'x', { tools: [], n: 1 }).warnings).toEqual([]);
  });
});
