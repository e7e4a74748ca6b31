/** The subprocess that reads one file. */
import { serveOneRequest } from '../../sandbox/child-process.ts';
import type { DocumentFile } from '../formats/detect-format.ts';
import { faultOf, readFile } from './read-file.ts';

// Structured cloning turns a Buffer into plain bytes.
serveOneRequest(
  ({ bytes, name, type }: DocumentFile) => readFile({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name, type }),
  faultOf,
);
