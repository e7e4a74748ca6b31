/** Skills as `skill://` resources: the SKILL.md of each, and the files of an imported folder. */
import { entryFile } from '../../extensions/skills/folder/folder.ts';
import type { JsonObject } from '../../types/json.ts';
import type { ResourceDefinition } from '../../types/tool-source.ts';
import type { Caller } from '../caller.ts';
import { skillFolderView, skillScheme } from './skill-folders.ts';
import { type VisibleSkill, usableSkill } from './skill-tools.ts';

/** One resource for each skill. It names the other files. */
export function skillResources(skills: readonly VisibleSkill[]): readonly ResourceDefinition[] {
  return skills.map(({ skill, definition }) => {
    const { name, description, address } = skillFolderView(skill);
    const title = definition.title === undefined ? {} : { title: definition.title };
    return { uri: `${address}/${entryFile}`, name, ...title, description, mimeType: 'text/markdown' };
  });
}

function isText(bytes: Buffer): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(bytes).includes('\u0000');
  } catch {
    return false;
  }
}

export function mimeTypeOf(path: string, bytes: Buffer): string {
  if (!isText(bytes)) return 'application/octet-stream';
  return path.endsWith('.md') ? 'text/markdown' : 'text/plain';
}

/** The decoded segments of an address. Null for an address outside of the skill. */
function partsOf(address: string): readonly string[] | null {
  if (!address.startsWith(skillScheme) || /[?#]/.test(address)) return null;
  try {
    const parts = address.slice(skillScheme.length).split('/').map(decodeURIComponent);
    return parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('/')) ? null : parts;
  } catch {
    return null;
  }
}

/** The answer to `resources/read`. Null when it is not a file of a skill that the caller may use. */
export function readSkillResource(caller: Caller, uri: unknown): JsonObject | null {
  const parts = typeof uri === 'string' ? partsOf(uri) : null;
  const skill = parts?.[0] === undefined ? null : usableSkill(caller, parts[0]);
  if (skill === null || parts === null) return null;
  const { address, files } = skillFolderView(skill);
  const inside = `${skillScheme}${parts.join('/')}`;
  const path = inside.slice(address.length + 1);
  const bytes = inside.startsWith(`${address}/`) ? files.get(path) : undefined;
  if (bytes === undefined) return null;
  const mimeType = mimeTypeOf(path, bytes);
  const content = mimeType === 'application/octet-stream' ? { blob: bytes.toString('base64') } : { text: bytes.toString('utf8') };
  return { contents: [{ uri: uri as string, mimeType, ...content }] };
}
