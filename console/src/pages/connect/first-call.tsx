/** Waits for the reader's first call after the page was opened, and links to its trace. */
import { CheckCircleOutlined, LoadingOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useId, useRef } from 'react';
import { call, type Page, queryOf } from '../../api/client.ts';
import type { Run } from '../../api/runs.ts';
import { useSession } from '../../api/session.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

const everyMs = 2_000;

export function FirstCall(): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  const id = useId();
  // Not compared by time: the clocks of the browser and of the gateway may differ.
  const known = useRef<ReadonlySet<string> | null>(null);
  const run = useQuery({
    queryKey: ['/api/runs', 'first call', id],
    queryFn: async ({ signal }) => {
      const { data } = await call<Page<Run>>('GET', `/api/runs${queryOf({ limit: 20 })}`, { signal });
      // Calls of this console have no key, but neither have tokens of the command line: what counts is that it is mine and new.
      const own = data.filter(({ subject }) => subject === me?.subject);
      known.current ??= new Set(own.map((each) => each.id));
      const before = known.current;
      return own.find((each) => !before.has(each.id)) ?? null;
    },
    gcTime: 0,
    refetchInterval: ({ state }) => (state.data == null ? everyMs : false),
  });
  const found = run.data;
  if (found === undefined) return null;
  if (found === null) {
    return (
      <output>
        <LoadingOutlined aria-hidden /> {t('waiting')}
      </output>
    );
  }
  return (
    <output>
      <CheckCircleOutlined aria-hidden className="connect-done" /> {t('arrived')} <code translate="no">{found.capability}</code>{' '}
      <Link to="/calls" search={{ open: found.root }}>
        {t('trace')}
      </Link>
    </output>
  );
}
