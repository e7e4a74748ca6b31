/** The billing line of Claude Code. */
import { expect, it } from 'vitest';
import { withoutBillingLine } from '../../src/text/billing-line.ts';

const billing = 'x-anthropic-billing-header: cc_version=2.1.197; cc_entrypoint=cli; cch=4f1d2;';
const instructions = { type: 'text', text: 'You are Claude Code.', cache_control: { type: 'ephemeral' } };

it.each([
  ['a block of its own', [{ type: 'text', text: billing }, instructions], [instructions]],
  ['the first line of a block', [{ type: 'text', text: `${billing}\nBe brief.` }], [{ type: 'text', text: 'Be brief.' }]],
  ['the first line of a text', `${billing}\nBe brief.`, 'Be brief.'],
  ['nothing else', billing, undefined],
  ['a block and nothing else', [{ type: 'text', text: billing }], undefined],
])('is left out: %s', (_name, system, wanted) => {
  expect(withoutBillingLine<unknown>(system)).toEqual(wanted);
});

it('other instructions stay the same object', () => {
  for (const system of [undefined, null, 'Be brief.', [instructions], `Say: ${billing}`])
    expect(withoutBillingLine<unknown>(system)).toBe(system);
});
