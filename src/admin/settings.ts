/** GET /api/settings: the settings of this node's process, read-only, with their meaning in both languages. Secrets are never returned. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import { settingHelpZh } from '../config/setting-help-zh.ts';
import { type SettingName, settingTable } from '../config/setting-table.ts';
import { GatewayError } from '../types/errors.ts';
import { pageOf, pageQuery } from './paging.ts';

const setting = z.object({
  name: z.string(),
  value: z.string().nullable().describe('As it was given. Null for a secret, and where the default holds.'),
  is_set: z.boolean().describe('False: the default holds.'),
  is_secret: z.boolean(),
  default: z.string(),
  help: z.object({ en: z.string(), zh: z.string() }),
});

export interface SettingsServices {
  /** The values of this process; null for a secret. */
  readonly given: ReadonlyMap<SettingName, string | null>;
  readonly homeTenant: string;
}

export function addSettings(app: FastifyInstance, { given, homeTenant }: SettingsServices): void {
  app.get<{ Querystring: z.output<typeof pageQuery> }>(
    '/api/settings',
    {
      config: { access: 'administrator' },
      schema: {
        tags: ['configuration'],
        summary: 'The settings of this process (environment variables), read-only',
        description: 'They hold for all tenants, so only administrators of the tenant that runs the gateway may read them.',
        querystring: pageQuery,
        response: { 200: z.object({ data: z.array(setting), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      if (principalOf(request).tenant !== homeTenant)
        throw new GatewayError(
          'permission_denied',
          'The settings of the process hold for all tenants; they are for administrators of the tenant that runs this gateway.',
        );
      const data = (Object.keys(settingTable) as SettingName[]).toSorted().map((name) => ({
        name,
        value: given.get(name) ?? null,
        is_set: given.has(name),
        is_secret: settingTable[name].secret === true || given.get(name) === null,
        default: settingTable[name].default,
        help: { en: settingTable[name].meaning, zh: settingHelpZh[name] },
      }));
      return pageOf(data, ({ name }) => name, request.query);
    },
  );
}
