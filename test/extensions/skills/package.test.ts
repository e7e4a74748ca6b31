/** The skill kind `package` on scripted models. */
import { expect, it } from 'vitest';
import packageKind from '../../../src/extensions/skills/package.ts';
import type { Plugin } from '../../../src/types/plugin.ts';
import { collectText, textEvents } from '../../../src/streaming/text-events.ts';
import type { SkillRun } from '../../../src/types/skill.ts';
import { makeSkill } from './scripted-run.ts';

it.each([
  ['Half of the ans', 'length', ''],
  ['', 'content_filter', 'I will not say.'],
  ['All of it.', 'stop', ''],
] as const)('%j that ended by %s is told as what it is', async (text, reason, refusal) => {
  const file = { path: 'SKILL.md', base64: Buffer.from('---\nname: brief\ndescription: Short.\n---\nBe short.').toString('base64') };
  const skill = await makeSkill(packageKind as unknown as Plugin<'skill', never>, { files: [file] });
  const run = {
    model: 'model/m',
    tools: [],
    maxSteps: 3,
    conversation: { before: [], attached: [] },
    invoke: async () => textEvents(text, reason, refusal),
  };
  expect(await collectText(await skill.invoke({ text: 'x' }, run as unknown as SkillRun))).toEqual({ text, reason, refusal, images: 0 });
});
