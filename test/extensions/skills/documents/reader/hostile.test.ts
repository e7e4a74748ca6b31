/** Documents that crash or block their reader: only the subprocess ends, and the caller gets the reason. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readInputDocument } from '../../../../../src/extensions/skills/documents/document.ts';
import { endlessPdf, makeDocx, makePdf, pdfOf, pdfWith } from '../../document-builders.ts';

const never = new AbortController().signal;
const read = async (bytes: Buffer, limits: { seconds?: number; memoryMb?: number } = {}, signal = never) =>
  readInputDocument({ document: { base64: bytes.toString('base64') } }, { signal }, limits);
const refused = (words: string) => ({ code: 'invalid_request', param: 'input.document', message: `input.document ${words}.` });
const tooLong = refused('took longer than 1 s to read; send it in parts, or as plain text');
const tooLarge = refused('is larger than 64 MB when unpacked; send it in parts, or as plain text');

const seesProcesses = process.platform === 'linux';
/** The process ids of the readers of `parent`. */
function readersOf(parent: number | undefined): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const isOwn = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(parent);
      return isOwn && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('documents/reader/reader-process.ts');
    } catch {
      return false;
    }
  });
}
async function until(holds: () => boolean): Promise<void> {
  for (let left = 400; !holds(); left--) {
    expect(left).toBeGreaterThan(0);
    await delay(50);
  }
}

describe('a file', () => {
  it('that takes too long is aborted, and others are served meanwhile', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 20);
    await expect(read(endlessPdf(), { seconds: 1 })).rejects.toMatchObject(tooLong);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  it('whose pages all contain one large stream is aborted at the time limit', async () => {
    const pages = Array.from({ length: 60 }, () => '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 3 0 R >>');
    const bytes = pdfOf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      `<< /Type /Pages /Count 60 /Kids [${pages.map((_, index) => `${index + 4} 0 R`).join(' ')}] >>`,
      ['/Filter /FlateDecode', deflateSync(Buffer.from('0 0 m '.repeat(2_000_000)))],
      ...pages,
    ]);
    await expect(read(bytes, { seconds: 1 })).rejects.toMatchObject(tooLong);
  });

  it('that needs too much memory is refused, by Pailou’s limit or by the system', async () => {
    const twice = pdfWith('/Filter [/FlateDecode /FlateDecode]', deflateSync(deflateSync(Buffer.alloc(400_000_000, 32))));
    expect(twice.length).toBeLessThan(10_000);
    const words = refused('needs more than 200 MB of memory to be read; send it in parts, or as plain text');
    await expect(read(twice, { memoryMb: 200 })).rejects.toMatchObject(words);
    await expect(read(makeDocx(Array.from({ length: 100_000 }, () => 'a')), { memoryMb: 200 })).rejects.toMatchObject(words);
  });

  it('that is large when unpacked is refused, whatever sizes it declares', async () => {
    const bomb = Buffer.from(zipSync({ 'word/document.xml': new Uint8Array(80 * 1_048_576) }));
    await expect(read(bomb)).rejects.toMatchObject(tooLarge);
    bomb.writeUInt32LE(1_000, bomb.lastIndexOf('PK\u0001\u0002') + 24);
    await expect(read(bomb)).rejects.toMatchObject(tooLarge);
  });

  it('with large pictures is read', async () => {
    const parts = { ...unzipSync(makeDocx(['words'])), 'word/media/a.png': new Uint8Array(80 * 1_048_576) };
    expect(await read(Buffer.from(zipSync(parts, { level: 1 })))).toEqual([{ heading: '', page: null, text: 'words' }]);
  });

  it('with too much text or too many pages is refused', async () => {
    await expect(read(Buffer.alloc(20_000_002, 'a\n'))).rejects.toMatchObject(
      refused('holds more than 20,000,000 characters of text; send it in parts'),
    );
    await expect(read(makePdf(Array.from({ length: 5_001 }, () => 'a')))).rejects.toMatchObject(
      refused('has more than 5,000 pages; send it in parts'),
    );
  });

  it('that is damaged, in whatever way, is refused with a reason', async () => {
    const pdf = makePdf(['words '.repeat(100)]);
    for (const bytes of [pdf.subarray(0, 60), Buffer.from('PK\u0003\u0004nothing of the kind')])
      await expect(read(bytes)).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(
          /^input\.document cannot be read as (PDF|DOCX): it is damaged, or protected by a password; save it again without one\.$/,
        ) as string,
      });
  });
});

describe.skipIf(!seesProcesses)('the reader processes', () => {
  it('are two at most, get no environment of the gateway, and end when the caller leaves', async () => {
    const gone = new AbortController();
    const impatient = new AbortController();
    const reads = Array.from({ length: 4 }, async () => read(endlessPdf(), {}, gone.signal));
    const waiting = read(endlessPdf(), {}, impatient.signal);
    const ends = Promise.allSettled(reads);
    await until(() => readersOf(process.pid).length === 2);
    impatient.abort(new Error('no more'));
    await expect(waiting).rejects.toThrow('no more');
    for (let looks = 10; looks > 0; looks--) {
      await delay(50);
      expect(readersOf(process.pid).length).toBeLessThanOrEqual(2);
    }
    // One of the two seen so far may be the last test's, which is ending.
    let pids: string[] = [];
    await until(() => (pids = readersOf(process.pid)).length === 2);
    for (const pid of pids) expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/(^|\0)(?!NODE_CHANNEL_)\w+=/);
    gone.abort(new Error('gone'));
    const start = performance.now();
    for (const { status, reason } of (await ends) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      expect((reason as Error).message).toBe('gone');
    }
    expect(performance.now() - start).toBeLessThan(10_000);
    await until(() => readersOf(process.pid).length === 0);
    expect(await read(Buffer.from('the next'))).toHaveLength(1);
  });

  it('do not outlive their parent, even during a loop', async () => {
    const url = new URL('../../../../../src/extensions/skills/documents/document.ts', import.meta.url);
    const input = JSON.stringify({ document: { base64: endlessPdf().toString('base64') } });
    const script = `import { readInputDocument } from ${JSON.stringify(url)}; await readInputDocument(${input}, new AbortController());`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
    onTestFinished(() => void parent.kill('SIGKILL'));
    await until(() => readersOf(parent.pid).length === 1);
    const [pid] = readersOf(parent.pid);
    await delay(1_500);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const command = (): string => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    };
    await until(() => command() === '');
    expect(command()).toBe('');
  });
});
