/** The state of one chat: its turns, whether an answer is on its way, and what can be done. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { type Approval, type ChatSettings, emptyTurn, type Picture, requestOf, streamTurn, type Turn } from './chat.ts';

export interface Chat {
  readonly turns: readonly Turn[];
  readonly isBusy: boolean;
  say(text: string, pictures: readonly Picture[]): void;
  /** Decides about the steps of the last turn that wait for an approval, and lets the model go on. */
  decide(approvals: readonly Approval[]): void;
  stop(): void;
  clear(): void;
}

export function useChat(model: string, settings: ChatSettings): Chat {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [isBusy, setBusy] = useState(false);
  const running = useRef<AbortController | null>(null);
  // Leaving the page aborts the call, which stops its cost.
  useEffect(() => () => running.current?.abort(), []);

  const ask = useCallback(
    async (said: readonly Turn[], start = emptyTurn, approvals: readonly Approval[] = []) => {
      const controller = new AbortController();
      running.current = controller;
      setBusy(true);
      setTurns([...said, start]);
      await streamTurn(requestOf(model, said, settings, approvals), {
        start,
        signal: controller.signal,
        onTurn: (turn) => {
          if (running.current === controller) setTurns([...said, turn]);
        },
      });
      if (running.current !== controller) return;
      running.current = null;
      setBusy(false);
    },
    [model, settings],
  );

  return {
    turns,
    isBusy,
    say: (text, pictures) => void ask([...turns, { role: 'user', text, pictures }]),
    decide(approvals) {
      const last = turns.at(-1);
      if (last?.role !== 'assistant') return;
      const decided = new Map(approvals.map(({ id, approve }) => [id, approve]));
      // What was denied stays in the timeline; what was approved appears again as it runs.
      const steps = last.steps.flatMap((step) => {
        const approve = decided.get(step.id);
        if (approve === undefined) return [step];
        return approve ? [] : [{ ...step, status: 'denied' as const }];
      });
      void ask(turns.slice(0, -1), { ...last, steps, finish: null }, approvals);
    },
    stop: () => running.current?.abort(),
    clear() {
      running.current?.abort();
      running.current = null;
      setBusy(false);
      setTurns([]);
    },
  };
}
