/** Writes `docs/reasoning.md` from the table of model families and the dialects of the vendors: `npm run docs`. A test compares them. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasoningFamilies } from '../src/models/catalogue/reasoning-families.ts';
import type { Dialect, ThinkingSwitch } from '../src/providers/compatible/dialect.ts';

const head = `# Reasoning

<!-- Written by \`npm run docs\` from src/models/catalogue/reasoning-families.ts and the dialects in src/providers; a test fails when they differ. -->

One field sets the effort, \`reasoning_effort\` (\`none\`, \`minimal\`, \`low\`, \`medium\`, \`high\`, \`xhigh\`, \`max\`); thoughts come as \`reasoning_content\`. Messages and Responses have their own fields
for both ([client-formats.md](client-formats.md)). What a model cannot do is left out or set to the nearest level, and \`x-pailou-warnings\` reports it.

**Thoughts go back.** Many models need the thoughts of a turn that called tools with the next request; some vendors refuse the request without them. Clients that keep \`reasoning_content\` send them. For
all others Pailou remembers them by the id of the tool call for an hour, for their own caller only: in the memory of the node (64 MB), and for all nodes in Redis or PostgreSQL
where these are configured ([decision 41](decisions/0041-thoughts-for-all-nodes.md)).

Which model wants what is decided in this order:

1. \`thinking\`, \`efforts\` and \`thoughts_return\` of the deployment
2. \`thoughts_return\` of the provider
3. the [catalogue](catalogue.md): the columns of the same names
4. the family of the upstream model's name, below, whatever the vendor

A model behind a name of your own (\`prod-chat\` at vLLM) is in no family; its row says what it is:

\`\`\`json
{ "deployments": [{ "provider": "vllm", "model": "prod-chat", "thinking": "always", "efforts": ["low", "medium", "high"], "thoughts_return": "with_tools" }] }
\`\`\`

## Model families

The first family that fits the name applies. *levels*: what \`reasoning_effort\` becomes; without levels it only switches thinking on and off.

| family | example | thinks | levels | thoughts go back | source |
|---|---|---|---|---|---|
`;

const hosts = `
## How a vendor takes them

| kind | the effort is sent as | thoughts go back in |
|---|---|---|
`;

const tail = `
The native formats have their own ways: Anthropic and Bedrock take \`thinking\` blocks with their signatures, Gemini thought signatures, DashScope \`enable_thinking\` and \`thinking_budget\`, Ollama \`think\`.
`;

const thinks = { true: 'yes', false: 'no', always: 'always', undefined: '' } as const;

function familyRows(): string[] {
  return reasoningFamilies.map(({ family, example, thinking, efforts, thoughtsReturn, source }) => {
    const levels = thinking === false ? '' : efforts === undefined || efforts.length === 0 ? 'none' : efforts.join(', ');
    const back = thoughtsReturn === 'with_tools' ? 'with tools' : thinking === false ? '' : 'no';
    return `| ${family} | \`${example}\` | ${thinks[String(thinking) as keyof typeof thinks]} | ${levels} | ${back} | [${new URL(source).hostname}](${source}) |`;
  });
}

function effortWords(style: ThinkingSwitch | undefined): string {
  switch (style?.by) {
    case undefined:
      return '`reasoning_effort`, unchanged';
    case 'effort': {
      const off = style.off === undefined ? '' : `; \`none\` as \`${JSON.stringify(style.off)}\``;
      return (
        (style.words === undefined ? '`reasoning_effort`, as the model takes it' : `\`reasoning_effort\`: ${style.words.join(', ')}`) + off
      );
    }
    case 'thinking-type': {
      const levels =
        style.efforts === undefined ? '' : `, with \`reasoning_effort\`${style.efforts === 'any' ? '' : `: ${style.efforts.join(', ')}`}`;
      return `\`thinking.type\`: \`${style.on ?? 'enabled'}\`, \`disabled\`${levels}`;
    }
    case 'enable-thinking':
      return `\`enable_thinking\`${style.budget ? ', `thinking_budget`' : ''}`;
    case 'chat-template':
      return '`chat_template_kwargs` (`enable_thinking`, `thinking`, `reasoning_effort`), with `reasoning_effort` for models with levels';
    case 'reasoning-object':
      return '`reasoning.effort`, `reasoning.enabled`';
    case 'none':
      return 'left out';
  }
}

function hostRow({ kind, thinking, variants = [], replays, thoughtFields = ['reasoning_content'] }: Dialect): string {
  const others = variants.filter((each) => each.thinking !== undefined);
  const efforts = [
    effortWords(thinking),
    ...others.map((each) => `${each.models.map((name) => `\`${name}\``).join(', ')}: ${effortWords(each.thinking)}`),
  ];
  const fields = (replays ?? thoughtFields).map((field) => `\`${field}\``).join(', ');
  const when = fields === '' ? 'nothing' : replays === undefined ? fields : `${fields}, for every model`;
  return `| \`${kind}\` | ${efforts.join('; ')} | ${when} |`;
}

export async function reasoningPage(): Promise<string> {
  const folder = join(import.meta.dirname, '../src/providers');
  const dialects: Dialect[] = [];
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .toSorted()) {
    const { default: plugin } = (await import(join(folder, file))) as { default: { readonly dialect?: Dialect } };
    if (plugin.dialect !== undefined) dialects.push(plugin.dialect);
  }
  return `${head}${familyRows().join('\n')}\n${hosts}${dialects.map(hostRow).join('\n')}\n${tail}`;
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, '../docs/reasoning.md'), await reasoningPage());
  console.log('docs/reasoning.md is written');
}
