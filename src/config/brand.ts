/** The name and the logo of a team on its console, from the settings of the process. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { SettingsError } from './settings.ts';
import { describeSetting } from './setting-table.ts';

export interface Logo {
  readonly bytes: Buffer;
  /** The media type. */
  readonly type: string;
}

export interface Brand {
  /** Null: Pailou's own, in the language of the reader. */
  readonly name: string | null;
  readonly logo: Logo | null;
}

const types: Readonly<Record<string, string>> = { '.svg': 'image/svg+xml', '.png': 'image/png', '.webp': 'image/webp' };
const mostBytes = 102_400;

function refused(reason: string): SettingsError {
  return new SettingsError([describeSetting('PAILOU_CONSOLE_LOGO', reason)]);
}

/** Throws SettingsError for a file that is missing, no picture by its name, empty or too large. */
function readLogo(file: string): Logo {
  const type = types[extname(file).toLowerCase()];
  if (type === undefined) throw refused(`"${file.slice(0, 100)}" is not a file that ends with ${Object.keys(types).join(', ')}`);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (thrown) {
    throw refused(`the file "${file.slice(0, 100)}" cannot be read (${(thrown as NodeJS.ErrnoException).code ?? String(thrown)})`);
  }
  if (bytes.length === 0 || bytes.length > mostBytes) throw refused(`the file has ${bytes.length} bytes; 1 to ${mostBytes} are allowed`);
  return { bytes, type };
}

/** Throws SettingsError. */
export function readBrand({
  consoleName,
  consoleLogo,
}: {
  readonly consoleName: string | null;
  readonly consoleLogo: string | null;
}): Brand {
  return { name: consoleName, logo: consoleLogo === null ? null : readLogo(consoleLogo) };
}
