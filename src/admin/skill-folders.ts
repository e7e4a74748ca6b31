/** /api/skills/import and /api/skills/{name}/export: skills as folders in the open SKILL.md format. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { principalOf } from '../api/request-context.ts';
import { showRow } from '../config/shown-row.ts';
import type { ConfigService } from '../config/service.ts';
import { folderOf, type ImportedSkill, skillOfFolder } from '../extensions/skills/folder/folder.ts';
import { mostBytes, readZip, writeZip } from '../extensions/skills/folder/zip.ts';
import { GatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';
import type { JsonObject } from '../types/json.ts';
import type { ConfigRow } from '../types/resources.ts';
import { expectedRevision } from './actor.ts';
import { rowView } from './row-view.ts';
import { type NamedSkill, namedSkill, requireRow, requireRowRight } from './skill-rows.ts';
import { writerOf } from './writer.ts';

const importQuery = z.object({
  model: z.string().min(1).max(256).optional().describe('The model that the skill uses; needed where its folder names none.'),
  replace: z
    .enum(['true', 'false'])
    .default('false')
    .describe('true: a skill of that name is replaced; what the folder does not say, such as its limits or cases, stays.'),
});

/** Fields that the folder does not contain keep their values. Callers get the change only when it is published. */
function withFolder(stored: ConfigRow['spec'], spec: JsonObject): ConfigRow['spec'] {
  const { options: _options, ...others } = stored;
  // Options of another kind do not apply.
  const kept = (spec['kind'] ?? stored['kind']) === stored['kind'] ? stored : others;
  return { ...kept, ...spec, live: stored['live'] ?? null };
}

const advice = 'Send the zip file of the folder as the body itself, with the header Content-Type: application/zip.';

export function addSkillFolders(app: FastifyInstance, config: ConfigService): void {
  const tags = ['skills'];

  app.get<{ Params: NamedSkill }>(
    '/api/skills/:name/export',
    {
      config: { access: ['llm:skill:manage'], decides: true },
      schema: {
        tags,
        summary: 'A skill as a zip of its folder',
        description: 'For those who may manage it: the folder contains the prompt and the files of the row, as edited.',
        params: namedSkill,
      },
    },
    async (request, reply) => {
      const row = requireRow(config, request, 'manage');
      const { name } = row;
      const zip = await writeZip(name, folderOf(name, config.mask(row).spec as JsonObject));
      return reply
        .type('application/zip')
        .header('content-disposition', `attachment; filename="${name}.zip"`)
        .header('x-content-type-options', 'nosniff')
        .send(zip);
    },
  );

  const write = async (
    request: FastifyRequest,
    { name, spec }: ImportedSkill,
    replace: boolean,
  ): Promise<{ revision: number; row: ConfigRow }> => {
    const principal = principalOf(request);
    const { tenant } = principal;
    const owner = personRef(principal);
    const stored = config.row(tenant, 'skill', name);
    requireRowRight(request, 'manage', stored ?? { name, tenant, owner, spec });
    if (stored !== undefined && !replace)
      throw new GatewayError(
        'already_exists',
        `There is already a skill named "${name}". Import it with replace=true, or under another name.`,
        {
          param: 'replace',
        },
      );
    if (stored === undefined && spec['model'] === undefined)
      throw new GatewayError('invalid_request', 'model: is required, because the folder names no model.', { param: 'model' });
    const base = { kind: 'skill' as const, tenant, name };
    const mutation =
      stored === undefined
        ? { ...base, operation: 'create' as const, spec, enabled: true, owner }
        : {
            ...base,
            operation: 'replace' as const,
            expectedRevision: expectedRevision(request),
            edit: (known: ConfigRow['spec']) => withFolder(known, spec),
          };
    const { revision } = await config.change(writerOf(request), [mutation], `import skill ${name}`);
    const row = config.row(tenant, 'skill', name);
    if (row === undefined) throw new GatewayError('not_found', `The skill "${name}" was deleted at the same time.`);
    return { revision, row };
  };

  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(new GatewayError('unsupported_media_type', advice)));
    scope.addContentTypeParser(/^application\/(zip|x-zip-compressed|octet-stream)/, { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    scope.post<{ Querystring: z.output<typeof importQuery> }>(
      '/api/skills/import',
      {
        config: { access: ['llm:skill:manage'], decides: true, writes: ['skill'] },
        // Room for the headers of a zip.
        bodyLimit: mostBytes + 1024 * 1024,
        schema: {
          tags,
          summary: 'Import a skill from a zip of its folder',
          description: 'The body is the zip file (application/zip). Its content is stored byte for byte; scripts are never executed.',
          querystring: importQuery,
          response: { 200: rowView },
        },
      },
      async (request, reply) => {
        if (!Buffer.isBuffer(request.body) || request.body.length === 0)
          throw new GatewayError('invalid_request', `The body is empty. ${advice}`, { param: 'file' });
        const { files, rootFolder } = await readZip(request.body);
        const { model, replace } = request.query;
        const { revision, row } = await write(request, skillOfFolder(files, rootFolder, model ?? null), replace === 'true');
        return reply.header('x-pailou-revision', revision).send(showRow(config.mask(row)));
      },
    );
  });
}
