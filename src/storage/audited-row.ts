/** A row as the audit shows it: without secrets and without file contents. The history keeps the contents for roll-backs. */
import { createHash } from 'node:crypto';
import type { ConfigRow } from '../types/resources.ts';
import { maskRow } from './secret-box.ts';

/** Short texts of a folder stay readable; megabytes in each entry would not. */
const mostCharacters = 1_000;

function withoutBytes(file: unknown): unknown {
  if (typeof file !== 'object' || file === null || !('base64' in file) || typeof file.base64 !== 'string') return file;
  if (file.base64.length <= mostCharacters) return file;
  const { base64, ...kept } = file;
  const bytes = Buffer.from(base64, 'base64');
  return { ...kept, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

export function auditedRow(row: ConfigRow): ConfigRow {
  const masked = maskRow(row);
  const { options } = masked.spec;
  if (row.kind !== 'skill' || typeof options !== 'object' || options === null || !('files' in options)) return masked;
  if (!Array.isArray(options.files)) return masked;
  return { ...masked, spec: { ...masked.spec, options: { ...options, files: options.files.map(withoutBytes) } } };
}
