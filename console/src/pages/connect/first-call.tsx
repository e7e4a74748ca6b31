/** Waits for the first call with a key after the page was opened, and links to its trace. */
import { CheckCircleOutlined, LoadingOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { call, type Page, queryOf } from '../../api/client.ts';
import type { Run } from '../../api/runs.ts';
import { useSession } from '../../api/session.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

const everyMs = 2_000;

export function FirstCall(): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  const [openedAt] = useState(() => Date.now());
  const runs = useQuery({
    queryKey: ['/api/runs', 'since', openedAt],
    queryFn: ({ signal }) => call<Page<Run>>('GET', `/api/runs${queryOf({ limit: 20 })}`, { signal }),
    refetchInterval: ({ state }) => (state.data?.data.some(isNew) === true ? false : everyMs),
  });
  // Calls of this console have no key, but neither have tokens of the command line: what counts is that it is mine and new.
  function isNew({ started_at, subject }: Run): boolean {
    return subject === me?.subject && Date.parse(started_at) > openedAt;
  }
  const found = runs.data?.data.find(isNew);
  if (found === undefined) {
    return (
      <output>
        <LoadingOutlined /> {t('waiting')}
      </output>
    );
  }
  return (
    <output>
      <CheckCircleOutlined className="connect-done" /> {t('arrived')} <code translate="no">{found.capability}</code>{' '}
      <Link to="/calls" search={{ open: found.root }}>
        {t('trace')}
      </Link>
    </output>
  );
}
