/** A cancellation behaves like an `AbortSignal`, and becomes one for work that needs it. */
import { describe, expect, it } from 'vitest';
import { abortSignalOf, Cancellation, cancellationWithin } from '../../src/scheduling/cancellation.ts';

const why = new Error('the caller left');
const other = new Error('too late');

describe('a cancellation', () => {
  it('calls each listener once, in the order in which they were added', () => {
    const cancellation = new Cancellation();
    const called: string[] = [];
    for (const name of ['first', 'second', 'third']) cancellation.addEventListener('abort', () => called.push(name));
    cancellation.abort(why);
    cancellation.abort(other);
    expect(called).toEqual(['first', 'second', 'third']);
    expect(cancellation.aborted).toBe(true);
    expect(cancellation.reason).toBe(why);
  });

  it('is aborted before its listeners hear of it, and keeps no listener that is added later', () => {
    const cancellation = new Cancellation();
    const seen: boolean[] = [];
    cancellation.addEventListener('abort', () => {
      seen.push(cancellation.aborted);
      cancellation.addEventListener('abort', () => seen.push(false));
    });
    cancellation.abort(why);
    cancellation.abort(other);
    expect(seen).toEqual([true]);
  });

  it('forgets removed listeners, the first and any other', () => {
    const cancellation = new Cancellation();
    const called: string[] = [];
    const listeners = ['first', 'second', 'third'].map((name) => () => void called.push(name));
    for (const listener of listeners) cancellation.addEventListener('abort', listener);
    for (const listener of listeners.slice(0, 2)) cancellation.removeEventListener('abort', listener);
    cancellation.abort(why);
    expect(called).toEqual(['third']);
  });

  it('throws its reason once it is aborted', () => {
    const cancellation = new Cancellation();
    expect(() => cancellation.throwIfAborted()).not.toThrow();
    cancellation.abort(why);
    expect(() => cancellation.throwIfAborted()).toThrow(why);
  });
});

describe('a cancellation within another', () => {
  it('follows its parent, also one that is aborted already', () => {
    const parent = new Cancellation();
    const early = cancellationWithin(parent);
    parent.abort(why);
    const late = cancellationWithin(parent);
    expect([early.reason, late.reason]).toEqual([why, why]);
    expect([early.aborted, late.aborted]).toEqual([true, true]);
  });

  it('is aborted alone', () => {
    const parent = new Cancellation();
    const own = cancellationWithin(parent);
    own.abort(why);
    expect(parent.aborted).toBe(false);
    parent.abort(other);
    expect(own.reason).toBe(why);
  });
});

describe('the AbortSignal of a cancellation', () => {
  it('is the same one each time and is aborted with the same reason', () => {
    const cancellation = new Cancellation();
    const signal = abortSignalOf(cancellation);
    expect(abortSignalOf(cancellation)).toBe(signal);
    expect(signal.aborted).toBe(false);
    cancellation.abort(why);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(why);
  });

  it('is aborted from the start when the cancellation was', () => {
    const cancellation = new Cancellation();
    cancellation.abort(why);
    expect(abortSignalOf(cancellation).reason).toBe(why);
  });

  it('is the given signal when that is one already', () => {
    const { signal } = new AbortController();
    expect(abortSignalOf(signal)).toBe(signal);
  });
});
