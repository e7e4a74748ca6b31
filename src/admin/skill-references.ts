/** Checks the references of a skill's row on save, so that a typing error is reported before the first run. */
import type { FastifyRequest } from 'fastify';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { decide } from '../auth/decide.ts';
import { unknownName } from '../config/validation-errors.ts';
import { capabilityOfRow } from '../config/row-capability.ts';
import type { ConfigService } from '../config/service.ts';
import { isVersion, skillOf } from '../config/skill-versions.ts';
import type { SkillSpec } from '../types/skill-spec.ts';
import { type Collection, collections } from './collections.ts';

interface Reference {
  readonly kind: 'model' | 'skill' | 'mcp';
  readonly name: string;
  readonly param: string;
}

type Named = Pick<SkillSpec, 'tools' | 'cases'>;

const keyOf = ({ kind, name }: Reference): string => `${kind} ${name}`;

function referencesOf({ tools = [], cases = [] }: Partial<Named>): Reference[] {
  const named = tools.map((tool, index): Reference => {
    const [kind = '', name = ''] = tool.split('/');
    const param = `spec.tools[${index}]`;
    if (kind === 'model') return { kind, name: tool.slice('model/'.length), param };
    return { kind: kind === 'skill' ? 'skill' : 'mcp', name, param };
  });
  const judges = cases.flatMap(({ expect: { judge } }, index): Reference[] =>
    judge === undefined ? [] : [{ kind: 'model', name: judge.model, param: `spec.cases[${index}].expect.judge.model` }],
  );
  return [...named, ...judges];
}

/**
 * Throws `configuration_invalid` for an unknown name, with visible names as a hint. Unchanged references to deleted things pass, so that
 * the row can still be edited. `beside`: rows of the same change. Tool names are checked by the run. A skill may name itself: depth is limited.
 */
export function requireReferences(
  config: ConfigService,
  request: FastifyRequest,
  skill: string,
  { spec, before, beside }: { readonly spec: Named; readonly before: Partial<Named> | undefined; readonly beside?: ReadonlySet<string> },
): void {
  const principal = principalOf(request);
  const { tenant } = principal;
  const known = new Set(referencesOf(before ?? {}).map(keyOf));
  for (const reference of referencesOf(spec)) {
    const { kind, name, param } = reference;
    if (known.has(keyOf(reference))) continue;
    const row = name.endsWith('@draft') ? skillOf(name) : name;
    if ((kind === 'skill' && row === skill) || config.row(tenant, kind, row) !== undefined || beside?.has(`${kind} ${row}`) === true)
      continue;
    const collection = collections.find((each) => each.kind === kind) as Collection;
    const { grants } = snapshotOf(request).tenant(tenant);
    const visible = config
      .rows(tenant, kind)
      .filter((each) => !isVersion(each.name) && decide(principal, 'view', capabilityOfRow(kind, each), grants, Date.now()).allowed);
    throw unknownName(
      collection.title,
      name,
      visible.map((each) => each.name),
      param,
    );
  }
}
