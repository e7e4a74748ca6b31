/** Whether something is allowed, with the rule that decides on focus. */
import { Tag, Tooltip } from 'antd';
import type { ReactNode } from 'react';
import { useTexts } from '../../i18n/texts.ts';
import { ruleKey } from './rules.ts';
import { texts } from './texts.ts';

export interface Ruling {
  readonly may: 'yes' | 'no' | 'with_code';
  readonly rule: string;
}

const colors = { yes: 'success', no: 'default', with_code: 'warning' } as const;

export function RulingTag({ ruling }: { readonly ruling: Ruling }): ReactNode {
  const t = useTexts(texts);
  const { key, grant } = ruleKey(ruling.rule, ruling.may !== 'no');
  const rule = key === null ? ruling.rule : t(`rule.${key}`, { grant });
  return (
    <Tooltip title={rule}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the rule is shown on focus */}
      <Tag tabIndex={0} color={colors[ruling.may]} aria-label={`${t(`may.${ruling.may}`)}: ${rule}`}>
        {t(`may.${ruling.may}`)}
      </Tag>
    </Tooltip>
  );
}
