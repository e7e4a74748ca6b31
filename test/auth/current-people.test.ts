/** People whose rights are looked up again: how often the identity service is asked. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createCurrentPeople } from '../../src/auth/current-people.ts';
import type { Person } from '../../src/storage/people.ts';
import { GatewayError } from '../../src/types/errors.ts';

const issuer = 'https://auth.test';
const ulla: Person = {
  issuer,
  subject: 'ulla',
  tenant: 'acme',
  username: 'ulla',
  roles: ['user'],
  permissions: new Set(),
  isService: false,
  seenAt: 0,
};

let isAway = false;
let asked = 0;
const lookUp = async (person: Person): Promise<Person> => {
  asked++;
  if (isAway) throw new GatewayError('auth_unavailable', 'The service is unreachable.');
  return person;
};
const pass = (seconds: number): unknown => vi.setSystemTime(Date.now() + seconds * 1_000);
const open = () => createCurrentPeople({ people: { find: () => ulla }, issuers: new Set([issuer]), lookUp });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  isAway = false;
  asked = 0;
});
afterEach(() => void vi.useRealTimers());

/** One call after another: each settles before the next begins. */
async function calls(people: ReturnType<typeof open>, count: number): Promise<unknown[]> {
  const results: unknown[] = [];
  for (let call = 0; call < count; call++) {
    results.push(await new Promise((resolve) => resolve(people.find(issuer, 'ulla'))).catch((error: unknown) => error));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return results;
}

it('a service that fails is asked once a second, while the last answer is still valid and afterwards', async () => {
  const people = open();
  expect(await calls(people, 5)).toEqual(Array.from({ length: 5 }, () => ulla));
  expect(asked).toBe(1);
  isAway = true;
  pass(31);
  expect(await calls(people, 5)).toEqual(Array.from({ length: 5 }, () => ulla));
  expect(asked).toBe(2);
  pass(1);
  await calls(people, 5);
  expect(asked).toBe(3);
  pass(30);
  for (const refused of await calls(people, 5)) expect(refused).toMatchObject({ code: 'auth_unavailable' });
  expect(asked).toBe(4);
});

it('a service that is back is asked again after a second, and its answer counts', async () => {
  const people = open();
  isAway = true;
  await calls(people, 1);
  isAway = false;
  expect(await calls(people, 1)).toMatchObject([{ code: 'auth_unavailable' }]);
  pass(1);
  expect(await calls(people, 3)).toEqual([ulla, ulla, ulla]);
  expect(asked).toBe(2);
});
