/** Skills in code: schemas validate input and output, and each failure is reported to the caller or in the log. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CodeSkill, defineSkill } from '../../src/plugins/define-skill.ts';
import { GatewayError } from '../../src/types/errors.ts';
import type { Logger } from '../../src/types/logger.ts';
import type { Plugin } from '../../src/types/plugin.ts';
import { services } from '../extensions/mcp/services.ts';
import { makeSkill, play } from '../extensions/skills/scripted-run.ts';

const input = z.strictObject({ text: z.string() });
const base = { kind: 'mine', title: 'Mine', input };
const playOf = async (skill: Partial<CodeSkill<{ text: string }>>) =>
  play(await makeSkill(defineSkill({ ...base, run: async () => null, ...skill }) as Plugin<'skill', never>), { text: 'a' }, () => 'said');

describe('the answer of a skill in code', () => {
  const output = z.object({ names: z.array(z.string()), count: z.number().default(7) });

  it('is the parsed result: with defaults, and without fields that the schema lacks', async () => {
    expect((await playOf({ output, run: async () => ({ names: ['a'], secret: 'x' }) })).output).toEqual({ names: ['a'], count: 7 });
    const date = z.codec(z.iso.date(), z.string(), { decode: (day) => `on ${day}`, encode: (day) => day.slice(3) });
    expect((await playOf({ output: date, run: async () => '2026-11-29' })).output).toBe('on 2026-11-29');
  });

  it('that is invalid gives an error with the field', async () => {
    await expect(playOf({ output, run: async () => ({ names: ['a', 3] }) })).rejects.toMatchObject({
      code: 'output_invalid',
      param: 'output.names[1]',
      message: expect.stringContaining('output.names[1]: ') as string,
    });
    await expect(playOf({ output, run: async () => ({}) })).rejects.toThrow('output.names: is missing.');
  });
});

describe('code that fails', () => {
  it('is reported to the caller only by its code, and in the log with its reason', async () => {
    const logged: object[] = [];
    const logger = { ...services.logger, error: (fields: object) => void logged.push(fields) } as Logger;
    const cause = new TypeError('the password is 1234');
    const plugin = defineSkill({ ...base, run: () => Promise.reject(cause) });
    const skill = await plugin.create({}, { ...services, logger });
    const thrown = await play(skill, { text: 'a' }, () => '').catch((each: unknown) => each);
    expect(thrown).toMatchObject({
      code: 'skill_failed',
      status: 500,
      message: `The code of the skill kind "mine" failed; the gateway's log has the reason.`,
      cause,
    });
    expect(logged).toEqual([{ kind: 'mine', runId: 'run', err: cause }]);
  });

  it('in a refinement of its schema, or with an answer that is not JSON, is reported in the same way', async () => {
    const broken = z.strictObject({ text: z.string().refine(() => (undefined as unknown as string).length > 0) });
    await expect(playOf({ input: broken })).rejects.toMatchObject({ code: 'skill_failed' });
    await expect(playOf({ run: async () => 1n })).rejects.toMatchObject({ code: 'skill_failed' });
  });

  it('because the run was ended reports that reason', async () => {
    const reason = new GatewayError('client_closed_request', 'The caller left.');
    const skill = await makeSkill(defineSkill({ ...base, run: () => Promise.reject(new Error('aborted')) }) as Plugin<'skill', never>);
    await expect(play(skill, { text: 'a' }, () => '', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('with an error of its own reports that message', async () => {
    const refuse = new GatewayError('invalid_request', 'input.text: not today.', { param: 'input.text' });
    await expect(playOf({ run: () => Promise.reject(refuse) })).rejects.toBe(refuse);
  });
});

it.each<[string, object | null, string]>([
  ['nothing', null, 'defineSkill takes one object'],
  ['no input', { kind: 'a', title: 'A', run: async () => '' }, 'defineSkill: input must be a zod schema'],
  [
    'a slip of the pen',
    { kind: 'a', title: 'A', inputs: input, run: async () => '' },
    'input must be a zod schema; "inputs" is not a field',
  ],
  ['an input of another kind', { ...base, input: { type: 'object' }, run: async () => '' }, 'input must be a zod schema'],
  ['no function', base, 'defineSkill: run must be a function (input, tools) => result'],
  ['no title', { ...base, title: undefined, run: async () => '' }, 'defineSkill: title must be a text'],
  [
    'an output that no schema shows',
    { ...base, output: z.bigint(), run: async () => '' },
    'defineSkill: output cannot be shown as JSON Schema',
  ],
  ['one field too many', { ...base, run: async () => '', outputs: input }, 'defineSkill: outputs is not a field of a skill'],
])('defineSkill with %s throws a sentence that names the field', (_name, given, words) => {
  expect(() => defineSkill(given as never)).toThrow(words);
});
