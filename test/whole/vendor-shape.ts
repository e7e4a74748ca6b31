/** One form in which a vendor answers, reduced to its peculiarity, and what each client must get out of it. */
import type { HeardAnswer } from './heard-answers.ts';

export interface VendorShape {
  /** What is peculiar. */
  readonly about: string;
  readonly kind: string;
  readonly type: string;
  readonly body: Buffer;
  readonly heard: Partial<HeardAnswer>;
}

export const json = (body: object): Pick<VendorShape, 'type' | 'body'> => ({
  type: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
});
export const sse = (text: string): Pick<VendorShape, 'type' | 'body'> => ({ type: 'text/event-stream', body: Buffer.from(text) });
export const data = (...parts: readonly object[]): string => parts.map((part) => `data: ${JSON.stringify(part)}\n\n`).join('');

export const weather = [{ name: 'weather', input: { city: 'Suzhou' } }];
export const cityText = '{"city":"Suzhou"}';
