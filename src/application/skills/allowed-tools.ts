/** The capabilities that a skill may use beside its model, from its row: `mcp/<server>`, `mcp/<server>/<tool>`, `skill/<name>`, `model/<name>`. */
import type { JsonObject } from '../../types/json.ts';
import type { SkillSpec } from '../../types/skill-spec.ts';

/** True if the row names the capability or its server. The caller's rights are checked separately. */
export function allows({ model, tools }: Pick<SkillSpec, 'model' | 'tools'>, target: string): boolean {
  if (target === `model/${model}`) return true;
  return tools.some((named) => {
    const [kind, server, ...tool] = named.split('/');
    const isWholeServer = kind === 'mcp' && (tool.length === 0 || named.endsWith('/*'));
    return target === named || (isWholeServer && target.startsWith(`mcp/${server}/`));
  });
}

/** The same as entries of a chat's `tools`, without models. */
export function chatTools(tools: readonly string[]): readonly JsonObject[] {
  const servers = new Map<string, string[] | null>();
  const skills: JsonObject[] = [];
  for (const named of tools) {
    const [kind, name = '', ...rest] = named.split('/');
    if (kind === 'skill') skills.push({ type: 'skill', name });
    if (kind !== 'mcp') continue;
    const tool = rest.join('/');
    const known = servers.get(name);
    if (tool === '' || tool === '*') servers.set(name, null);
    else if (known !== null) servers.set(name, [...(known ?? []), tool]);
  }
  return [
    ...[...servers].map(([server, names]) => ({ type: 'mcp', server_label: server, ...(names === null ? {} : { allowed_tools: names }) })),
    ...skills,
  ];
}
