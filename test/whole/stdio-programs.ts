/** The setting that allows command lines to MCP servers of kind stdio. */

/** Each line whole: `node`, with these arguments. For all tenants; `env` are the variables that rows may set. */
export function nodePrograms(lines: readonly (readonly string[])[], env: readonly string[] = []): Record<string, string> {
  const allowed = lines.map((args, index) => [`program-${index}`, { command: 'node', args, env, tenants: '*' }] as const);
  return { PAILOU_STDIO_PROGRAMS: JSON.stringify(Object.fromEntries(allowed)) };
}
