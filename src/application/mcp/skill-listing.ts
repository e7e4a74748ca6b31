/** Lists the caller's skills for the Skills extension. A skill that the caller may not use looks like one that does not exist. */
import type { ViewSkills, SkillListing } from '../../extensions/mcp/gate/mcp-view.ts';
import type { ResourceDefinition } from '../../types/tool-source.ts';
import type { Logger } from '../../types/logger.ts';
import type { SkillEntry } from '../../types/snapshot.ts';
import type { Caller } from '../caller.ts';
import { type SkillFolderView, skillFolderView, skillScheme } from './skill-folders.ts';
import { mimeTypeOf } from './skill-resources.ts';
import { visibleSkills, usableSkill } from './skill-tools.ts';

/** The direct children of `directory`. Null for a path that is not a directory of the folder. */
function childrenOf({ address, files }: SkillFolderView, { resources }: SkillListing, directory: string): ResourceDefinition[] | null {
  if (directory !== address && !directory.startsWith(`${address}/`)) return null;
  const children = new Map<string, ResourceDefinition>();
  for (const { uri, size } of resources) {
    if (!uri.startsWith(`${directory}/`)) continue;
    const [next = '', ...deeper] = uri.slice(directory.length + 1).split('/');
    const child = `${directory}/${next}`;
    const path = decodeURIComponent(uri.slice(address.length + 1));
    const sort = deeper.length > 0 ? { mimeType: 'inode/directory' } : { mimeType: mimeTypeOf(path, files.get(path) ?? Buffer.of()), size };
    children.set(child, { uri: child, name: decodeURIComponent(next), ...sort });
  }
  return children.size === 0 ? null : [...children.values()];
}

/** Skills that the extension cannot carry, so that each is logged once. */
const logged = new WeakSet<SkillEntry['instance']>();

export function skillListings(caller: Caller, logger: Logger): ViewSkills {
  const listingOf = async (skill: SkillEntry): Promise<SkillListing | null> => {
    try {
      return await skillFolderView(skill).entry();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      if (!logged.has(skill.instance)) logger.warn({ skill: skill.name, reason }, 'MCP clients do not find this skill in skills/list');
      logged.add(skill.instance);
      return null;
    }
  };
  /** The normalized form of an address, as in entries. */
  const find = (uri: string): { readonly address: string; readonly skill: SkillEntry } | null => {
    const address = URL.parse(uri)?.href;
    if (address?.startsWith(skillScheme) !== true) return null;
    const skill = usableSkill(caller, address.slice(skillScheme.length).split('/', 1)[0] ?? '');
    return skill === null ? null : { address, skill };
  };
  return {
    async list() {
      const all = await Promise.all(visibleSkills(caller).map(({ skill }) => listingOf(skill)));
      return all.filter((listing) => listing !== null);
    },
    async get(uri) {
      const found = find(uri);
      const listing = found === null ? null : await listingOf(found.skill);
      return listing?.uri === found?.address ? listing : null;
    },
    async children(uri) {
      const found = find(uri);
      const listing = found === null ? null : await listingOf(found.skill);
      return found === null || listing === null ? null : childrenOf(skillFolderView(found.skill), listing, found.address);
    },
  };
}
