/** Required permissions of a call are deduplicated, and reported in a line of bounded length. */
import { expect, it } from 'vitest';
import { requireRight } from '../../src/application/caller.ts';
import { createRequiredPermissions, permissionNames } from '../../src/application/required-permissions.ts';
import type { Capability, Principal } from '../../src/types/access.ts';
import type { TenantView } from '../../src/types/snapshot.ts';

const principal: Principal = {
  subject: 'ann',
  username: 'ann',
  tenant: 'acme',
  roles: ['developer'],
  permissions: new Set(['llm:model:use', 'llm:mcp:use', 'llm:mcp:view']),
  client: null,
  issuer: 'i',
  credential: 'token',
  expiresAt: 0,
};
const thing = (kind: Capability['kind'], name: string): Capability => ({ kind, name, tenant: 'acme', owner: null, tags: [] });
const caller = () => ({ principal, view: { grants: { find: () => null } } as unknown as TenantView, needs: createRequiredPermissions() });

it('a permission that is required a thousand times is one entry', () => {
  const { needs, ...rest } = caller();
  for (let index = 0; index < 1_000; index++) requireRight({ ...rest, needs }, 'use', thing('model', 'm'));
  expect([...needs]).toEqual([['use', thing('model', 'm')]]);
  expect(permissionNames(needs)).toBe('model/m');
});

it('another action on the same capability is a second entry with the same name', () => {
  const asker = caller();
  requireRight(asker, 'use', thing('mcp', 'files/read'));
  requireRight(asker, 'view', thing('mcp', 'files/read'));
  requireRight(asker, 'use', thing('model', 'm'));
  expect([...asker.needs].map(([action, { name }]) => [action, name])).toEqual([
    ['use', 'files/read'],
    ['view', 'files/read'],
    ['use', 'm'],
  ]);
  expect(permissionNames(asker.needs)).toBe('mcp/files/read, model/m');
});

it('of very many the first ones are named', () => {
  const asker = caller();
  for (let index = 0; index < 500; index++) requireRight(asker, 'use', thing('mcp', `files/t${index}`));
  expect(permissionNames(asker.needs)).toMatch(/^mcp\/files\/t0, .*mcp\/files\/t19, and 480 more$/);
});
