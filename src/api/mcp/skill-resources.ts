/** Skills as `skill://` resources: the SKILL.md of each, and the files beside it where it came as a folder. */
import { entryFile, folderOf } from '../../extensions/skills/folder/folder.ts';
import type { JsonObject } from '../../types/json.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import type { ResourceDefinition } from '../../types/tool-source.ts';
import type { ShownSkill } from './skill-tools.ts';

const scheme = 'skill://';

const addressOf = (name: string, path: string): string => `${scheme}${name}/${path.split('/').map(encodeURIComponent).join('/')}`;

/** Of a skill that is no folder only the SKILL.md: its row may hold what is not for its callers. */
function filesOf({ name, spec, instance }: SkillEntry): ReadonlyMap<string, Buffer> {
  const own = instance.files?.() ?? folderOf(name, spec as unknown as JsonObject).filter(({ path }) => path === entryFile);
  return new Map(own.map(({ path, bytes }) => [addressOf(name, path), bytes]));
}

/** One resource for each skill; it names the others. */
export function skillResources(skills: readonly ShownSkill[]): readonly ResourceDefinition[] {
  return skills.map(({ skill, shown, definition }) => ({
    uri: addressOf(skill.name, entryFile),
    name: shown,
    ...(definition.title === undefined ? {} : { title: definition.title }),
    ...(definition.description === undefined ? {} : { description: definition.description }),
    mimeType: 'text/markdown',
  }));
}

function isText(bytes: Buffer): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(bytes).includes('\u0000');
  } catch {
    return false;
  }
}

/** The answer to `resources/read`; null for what is no file of a skill that the caller may use. */
export function readSkillResource(skills: readonly ShownSkill[], uri: unknown): JsonObject | null {
  if (typeof uri !== 'string' || !uri.startsWith(scheme)) return null;
  const name = uri.slice(scheme.length).split('/', 1)[0];
  const found = skills.find(({ skill }) => skill.name === name);
  const bytes = found === undefined ? undefined : filesOf(found.skill).get(uri);
  if (bytes === undefined) return null;
  if (!isText(bytes)) return { contents: [{ uri, mimeType: 'application/octet-stream', blob: bytes.toString('base64') }] };
  return { contents: [{ uri, mimeType: uri.endsWith('.md') ? 'text/markdown' : 'text/plain', text: bytes.toString('utf8') }] };
}
