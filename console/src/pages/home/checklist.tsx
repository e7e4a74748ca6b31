/** The way from a fresh installation to the first call. Each step ticks itself by what the gateway holds. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Card, Steps } from 'antd';
import type { ReactNode } from 'react';
import { call, type Page } from '../../api/client.ts';
import type { Row } from '../../api/rows.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface Found {
  readonly provider: boolean;
  readonly model: boolean;
  readonly grant: boolean;
  readonly key: boolean;
}

interface Named {
  readonly kind?: string;
  readonly deployments?: readonly { readonly provider: string }[];
}

async function look(signal: AbortSignal): Promise<Found> {
  const list = <T,>(path: string): Promise<Page<T>> => call<Page<T>>('GET', `/api/${path}?limit=200`, { signal });
  const [providers, models, grants, keys] = await Promise.all([
    list<Row<Named>>('providers'),
    list<Row<Named>>('models'),
    list<Row<{ readonly capability: string }>>('grants'),
    list<unknown>('keys'),
  ]);
  // The demo provider comes with the installation, so it does not count as a connected vendor.
  const own = new Set(providers.data.filter(({ spec }) => spec.kind !== 'demo').map(({ name }) => name));
  const offered = models.data.filter(({ spec }) => spec.deployments?.some(({ provider }) => own.has(provider)) === true);
  const covers = (capability: string, model: string): boolean =>
    capability.endsWith('*') ? `model/${model}`.startsWith(capability.slice(0, -1)) : capability === `model/${model}`;
  return {
    provider: own.size > 0,
    model: offered.length > 0,
    grant: grants.data.some(({ spec }) => offered.some(({ name }) => covers(spec.capability, name))),
    key: keys.data.length > 0,
  };
}

export function Checklist({ hasCalls }: { readonly hasCalls: boolean }): ReactNode {
  const t = useTexts(texts);
  const { data: found } = useQuery({ queryKey: ['checklist'], queryFn: ({ signal }) => look(signal) });
  if (found === undefined) return null;
  const steps = [
    { name: 'provider', to: '/providers', search: { add: 'yes' }, isDone: found.provider },
    { name: 'model', to: '/models', search: {}, isDone: found.model },
    { name: 'grant', to: '/models', search: {}, isDone: found.grant },
    { name: 'client', to: '/connect', search: {}, isDone: found.key },
    { name: 'call', to: '/playground', search: {}, isDone: hasCalls },
  ] as const;
  if (steps.every(({ isDone }) => isDone)) return null;
  return (
    <Card size="small" title={t('checklist')} className="drawer-card">
      <Steps
        size="small"
        responsive
        items={steps.map(({ name, to, search, isDone }) => ({
          key: name,
          status: isDone ? 'finish' : 'wait',
          title: (
            <Link to={to} search={search} aria-label={`${t(`step.${name}`)}: ${t(isDone ? 'done' : 'open')}`}>
              {t(`step.${name}`)}
            </Link>
          ),
        }))}
      />
    </Card>
  );
}
