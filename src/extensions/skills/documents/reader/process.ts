/** The process in which one file is read. */
import { answerOnce } from '../../apart/child.ts';
import type { DocumentFile } from '../formats/format.ts';
import { faultOf, readFile } from './file.ts';

// Serialized, it is plain bytes.
answerOnce(
  ({ bytes, name, type }: DocumentFile) => readFile({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name, type }),
  faultOf,
);
