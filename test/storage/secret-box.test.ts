/** Sealed secrets: decrypted only in their own place and with the right key. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSecretBox, isSealed, masterKey, maskSealed, type Sealed } from '../../src/storage/secret-box.ts';

const key = masterKey(randomBytes(32));
const box = createSecretBox({ current: key });
const plain = 'sk-密钥-🔑';

const unreadable = expect.objectContaining({
  code: 'internal_error',
  message: expect.stringContaining('Check PAILOU_MASTER_KEY') as string,
}) as Error;

describe('a sealed secret', () => {
  it('decrypts to the sealed text, and reveals nothing of it', () => {
    const sealed = box.seal(plain, 'acme/row-1');
    expect(box.open(sealed, 'acme/row-1')).toBe(plain);
    expect(sealed.$sealed).toMatch(new RegExp(`^v1\\.${key.id}\\.[\\w-]{16}\\.[\\w-]{22}\\.[\\w-]+$`));
    expect(sealed.$sealed).not.toContain(Buffer.from(plain).toString('base64url'));
  });

  it('looks different each time', () => {
    expect(box.seal(plain, 'a').$sealed).not.toBe(box.seal(plain, 'a').$sealed);
  });

  it('cannot be decrypted in another row or tenant', () => {
    const sealed = box.seal(plain, 'acme/row-1');
    expect(() => box.open(sealed, 'acme/row-2')).toThrow(unreadable);
    expect(() => box.open(sealed, 'rival/row-1')).toThrow(unreadable);
  });

  it('cannot be decrypted when any part of it was changed', () => {
    const parts = box.seal(plain, 'a').$sealed.split('.');
    for (const index of parts.keys()) {
      const text = parts[index] ?? '';
      const changed = parts.with(index, `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`).join('.');
      expect(() => box.open({ $sealed: changed }, 'a')).toThrow(unreadable);
    }
    for (const broken of [
      '',
      'v1',
      parts.slice(0, 4).join('.'),
      [...parts.slice(0, 3), 'AAAA', parts[4]].join('.'),
      parts.slice(0, 3).join('.') + '..',
    ]) {
      expect(() => box.open({ $sealed: broken }, 'a')).toThrow(unreadable);
    }
  });

  it('cannot be decrypted with another key, and names the needed key only in the details', () => {
    const other = createSecretBox({ current: masterKey(randomBytes(32)) });
    const sealed = box.seal(plain, 'a');
    expect(() => other.open(sealed, 'a')).toThrow(unreadable);
    expect(() => other.open(sealed, 'a')).toThrow(expect.objectContaining({ details: `sealed with key ${key.id}` }));
  });

  it('is still decrypted after a key rotation, if the old key is configured; new ones use the new key', () => {
    const next = masterKey(randomBytes(32));
    const both = createSecretBox({ current: next, old: [key] });
    expect(both.open(box.seal(plain, 'a'), 'a')).toBe(plain);
    const sealed = both.seal(plain, 'a');
    expect(sealed.$sealed).toContain(next.id);
    expect(createSecretBox({ current: next }).open(sealed, 'a')).toBe(plain);
  });

  it('may be empty', () => {
    expect(box.open(box.seal('', 'a'), 'a')).toBe('');
  });
});

describe('masking', () => {
  it('distinguishes a sealed text from anything else', () => {
    expect(isSealed(box.seal('x', 'a'))).toBe(true);
    for (const other of [null, undefined, 'v1.x', {}, { $sealed: 1 }, { $sealed: 'x', more: 1 }, []]) expect(isSealed(other)).toBe(false);
  });

  it('replaces sealed texts at any depth and leaves the rest, and the original, alone', () => {
    const sealed: Sealed = box.seal('x', 'a');
    const value = { key: sealed, list: [1, sealed, { deep: sealed, open: null }], text: '***', flag: false };
    const copy = structuredClone(value);
    expect(maskSealed(value)).toEqual({ key: '***', list: [1, '***', { deep: '***', open: null }], text: '***', flag: false });
    expect(value).toEqual(copy);
  });
});
