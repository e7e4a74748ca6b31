/** The skill kind `package`: a folder in the open SKILL.md format with progressive disclosure. Its scripts are stored and never run. */
import { z } from 'zod';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import { definePlugin } from '../../types/plugin.ts';
import { compileOnUse } from '../../schema/json-schema.ts';
import { requireInput } from './prompting/input-validation.ts';
import { conversationMessages } from './prompting/conversation-messages.ts';
import { converse, type LocalTool } from './prompting/local-tools.ts';
import { entryFile, filesOf, skillOfFolder } from './folder/folder.ts';
import { parseSkillMd } from './folder/skill-md.ts';

const options = z.strictObject({
  files: z
    .array(z.strictObject({ path: z.string().min(1).max(500), base64: z.base64() }))
    .min(1)
    .max(512)
    .describe('SKILL.md and the files beside it. POST /api/skills/import creates it from a zip file.'),
});

const inputSchema: JsonObject = {
  type: 'object',
  properties: { text: { type: 'string', minLength: 1, description: 'The task.' } },
  required: ['text'],
  additionalProperties: false,
};
const check = compileOnUse(inputSchema);
const mostRead = 100_000;

export default definePlugin({
  type: 'skill',
  kind: 'package',
  title: 'Folder in the SKILL.md format',
  options,
  create(settings) {
    const files = filesOf(settings);
    // The rules of an import apply here too, because a row may be written directly.
    try {
      skillOfFolder(files, null, 'any');
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      throw new GatewayError('configuration_invalid', `spec.options.files: ${thrown.message}`, { param: 'spec.options.files' });
    }
    const entry = files.find(({ path }) => path === entryFile);
    const { name, description, body } = parseSkillMd(entry?.bytes.toString('utf8') ?? '', null);
    const others = files.filter(({ path }) => path !== entryFile);
    const read: LocalTool = {
      name: 'read_skill_file',
      description: 'Reads a file of the skill, as text.',
      parameters: {
        type: 'object',
        properties: {
          path: { type: 'string', enum: others.map(({ path }) => path) },
          from: { type: 'integer', minimum: 0, description: 'The first character.' },
        },
        required: ['path'],
      },
      call({ path, from }) {
        const file = others.find((each) => each.path === path);
        if (file === undefined) return `There is no file of that name. There are: ${others.map((each) => each.path).join(', ')}`;
        const text = file.bytes.toString('utf8');
        if (text.includes('\u0000') || text.includes('\uFFFD')) return 'This file is no text and cannot be read.';
        const start = typeof from === 'number' ? from : 0;
        const part = text.slice(start, start + mostRead);
        return start + part.length < text.length
          ? `${part}\n[${text.length} characters in all; read on with from: ${start + part.length}]`
          : part;
      },
    };
    const system = [
      `You follow the skill "${name}": ${description}`,
      body.trim(),
      ...(others.length === 0
        ? []
        : [
            `Files of the skill, read with ${read.name} when they are needed:\n${others.map(({ path }) => `- ${path}`).join('\n')}\nScripts among them can be read; nothing runs them.`,
          ]),
    ].join('\n\n');
    const ask = (text: string): readonly [JsonObject, JsonObject] => [
      { role: 'system', content: system },
      { role: 'user', content: text },
    ];
    return {
      describe: () => ({ inputSchema, outputSchema: null }),
      files: () => files,
      converses: true,
      messages: (given) => ask(requireInput(check, given)['text'] as string),
      async invoke(given, run) {
        return converse(
          run,
          conversationMessages(ask(requireInput(check, given)['text'] as string), run),
          others.length === 0 ? [] : [read],
        );
      },
    };
  },
});
