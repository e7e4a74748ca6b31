/** The chain of a model from left to right: tier by tier, then the models that it falls back to. */
import { Card, Tag } from 'antd';
import type { ReactNode } from 'react';
import { KindTitle } from '../../components/kind-title.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { type Candidate, type Route, tiersOf } from './route.ts';
import { texts } from './texts.ts';

function Share({ candidate, all }: { readonly candidate: Candidate; readonly all: readonly Candidate[] }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const sum = all.reduce((total, { weight }) => total + weight, 0);
  return (
    <li className={candidate.takes_calls ? 'chain-part' : 'chain-part chain-off'}>
      <code translate="no">{candidate.deployment}</code>
      <div>{t('share', { weight: candidate.weight, share: format.percent(sum === 0 ? 0 : candidate.weight / sum) })}</div>
      {!candidate.takes_calls && <Tag color="error">{t('skipped')}</Tag>}
    </li>
  );
}

export function ChainPicture({ route }: { readonly route: Route }): ReactNode {
  const t = useTexts(texts);
  return (
    <ol className="chain" aria-label={t('chain')}>
      {tiersOf(route).map(({ tier, candidates }) => (
        <li key={tier}>
          <Card size="small" title={t('tier', { tier })} extra={<KindTitle type="strategy" kind={route.strategy} />}>
            <ul className="chain-parts">
              {candidates.map((candidate) => (
                <Share key={candidate.deployment} candidate={candidate} all={candidates} />
              ))}
            </ul>
          </Card>
        </li>
      ))}
      {route.fallbacks.map(({ model, on, usable, reason }) => (
        <li key={model}>
          <Card size="small" title={t('fallback')}>
            <div className={usable ? 'chain-part' : 'chain-part chain-off'}>
              <code translate="no">{model}</code>
              <div translate="no">{on.join(', ')}</div>
              {!usable && <div translate="no">{reason}</div>}
            </div>
          </Card>
        </li>
      ))}
    </ol>
  );
}
