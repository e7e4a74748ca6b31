/** The title of a kind in the reader's language; its own name where it has none. */
import type { ReactNode } from 'react';
import { useKinds } from '../api/kinds.ts';
import { useLanguage } from '../i18n/language.tsx';

interface KindTitleProps {
  readonly type: 'provider' | 'skill' | 'mcp' | 'strategy';
  readonly kind: string;
}

export function KindTitle({ type, kind }: KindTitleProps): ReactNode {
  const { language } = useLanguage();
  const known = useKinds().data?.kinds.find((each) => each.type === type && each.kind === kind);
  const title = (language === 'zh' ? known?.['x-zh'].title : undefined) ?? known?.title;
  return title === undefined ? <span translate="no">{kind}</span> : title;
}
