/** Names such as `__proto__` are refused at every place of a body. */
import { expect, it, vi } from 'vitest';
import { refusePoison } from '../../src/config/validation-errors.ts';

it.each([
  [{ a: [{ constructor: 1 }] }, 'spec.a[0].constructor'],
  [JSON.parse('{"__proto__": {}}'), 'spec.__proto__'],
  [{ a: { $sealed: 'x' } }, 'spec.a.$sealed'],
])('%j', (value, param) => {
  expect(() => refusePoison(value, ['spec'])).toThrow(expect.objectContaining({ code: 'configuration_invalid', param }) as Error);
});

it('binary values are not fields: megabytes of them are not walked', () => {
  const keys = vi.spyOn(Object, 'keys');
  refusePoison({ zip: Buffer.from('a zip') }, []);
  expect(keys.mock.calls.some(([value]) => ArrayBuffer.isView(value))).toBe(false);
  keys.mockRestore();
});
