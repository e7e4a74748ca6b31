/** The folder of a skill for MCP clients: its address, its files, and its entry of the Skills extension. */
import type { SkillListing } from '../../extensions/mcp/gate/mcp-view.ts';
import { entryFile, folderOf } from '../../extensions/skills/folder/folder.ts';
import { parseSkillMd } from '../../extensions/skills/folder/skill-md.ts';
import type { JsonObject } from '../../types/json.ts';
import type { SkillFile } from '../../types/skill.ts';
import type { SkillEntry } from '../../types/snapshot.ts';

export const skillScheme = 'skill://';

/** The skill of an address, by its first segment. Null for any other address. */
export function skillOfAddress(address: string): string | null {
  const normal = URL.parse(address)?.href ?? address;
  if (!normal.startsWith(skillScheme)) return null;
  const first = normal.slice(skillScheme.length).split(/[/?#]/, 1)[0] ?? '';
  try {
    return decodeURIComponent(first);
  } catch {
    return first;
  }
}

export interface SkillFolderView {
  /** The name as in its SKILL.md. */
  readonly name: string;
  readonly description: string;
  /** Without a trailing slash. */
  readonly address: string;
  readonly files: ReadonlyMap<string, Buffer>;
  /** Throws for a folder that clients of the extension would refuse, with the reason. */
  readonly entry: () => Promise<SkillListing>;
}

/** The format allows neither -- nor a trailing -; Pailou's names may have both. */
const formatName = (name: string): string => name.replace(/-{2,}/g, '-').replace(/-$/, '');

/** A skill without a folder shows only its SKILL.md, because its row may contain content that is not for its callers. */
function ownFiles({ name, spec, instance }: SkillEntry): readonly SkillFile[] {
  const folder = instance.files?.();
  if (folder !== undefined) return folder;
  // A text of several lines that begins with a space needs YAML that readers of the format need not support.
  const shown = { ...spec, description: spec.description.trim() || spec.description };
  return folderOf(formatName(name), shown as unknown as JsonObject).filter(({ path }) => path === entryFile);
}

function headOf({ name, spec }: SkillEntry, files: ReadonlyMap<string, Buffer>): { readonly name: string; readonly description: string } {
  try {
    return parseSkillMd(files.get(entryFile)?.toString('utf8') ?? '', null);
  } catch {
    // A custom skill kind may fail to render a folder.
    return { name: formatName(name), description: spec.description };
  }
}

function openFolder(skill: SkillEntry): SkillFolderView {
  const files = new Map(ownFiles(skill).map(({ path, bytes }) => [path, bytes]));
  const { name, description } = headOf(skill, files);
  // The extension requires the last segment to be the name in the SKILL.md. The first segment is the skill's own unique name.
  const place = name === skill.name ? name : `${skill.name}/${name}`;
  let entry: Promise<SkillListing> | undefined;
  const makeEntry = async (): Promise<SkillListing> => {
    const { skillEntry } = await import('@modelcontextprotocol/server/ext/skills');
    return (await skillEntry(place, Object.fromEntries(files))) as SkillListing;
  };
  return { name, description, address: `${skillScheme}${place}`, files, entry: () => (entry ??= makeEntry()) };
}

/** By the files object when there is one. A change elsewhere creates new snapshot entries, but the digests of the files stay valid. */
const known = new WeakMap<object, SkillFolderView>();

export function skillFolderView(skill: SkillEntry): SkillFolderView {
  const key = skill.instance.files?.() ?? skill;
  let folder = known.get(key);
  if (folder === undefined) known.set(key, (folder = openFolder(skill)));
  return folder;
}
