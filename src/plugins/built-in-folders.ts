/** The folders of built-in plugins; the loader finds each file. */
import { fileURLToPath } from 'node:url';

export const builtInFolders: readonly string[] = [
  'providers',
  'models/vendor-formats',
  'dispatch/strategies',
  'extensions/skills',
  'extensions/mcp/transports',
].map((folder) => fileURLToPath(new URL(`../${folder}`, import.meta.url)));
