/** What is known of one run or attempt of the waterfall. */
import type { ReactNode } from 'react';
import { ApiError } from '../../api/api-error.ts';
import { between } from '../../api/runs.ts';
import { errorText } from '../error-text.ts';
import { errorTexts } from '../error-texts.ts';
import { FactList } from '../fact-list.tsx';
import { reasonKey, reasonTexts } from '../reason-texts.ts';
import { vendorWords } from '../vendor-words.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';
import type { WaterfallRow } from './waterfall-rows.ts';

/** The sentence for the reason where one is known, else for the code. */
function ErrorFact({ code, detail }: { readonly code: string; readonly detail: string | null }): ReactNode {
  const tell = useTexts(errorTexts);
  const why = useTexts(reasonTexts);
  const reason = reasonKey(detail === null ? null : vendorWords(detail).reason);
  const error = new ApiError({ status: 0, code, message: '', param: null, requestId: null });
  return (
    <>
      {reason === null ? errorText(tell, error) : why(reason)} <code translate="no">{code}</code>
    </>
  );
}

export function RowDetails({ row }: { readonly row: WaterfallRow }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const { attempt, run } = row;
  const shown = attempt ?? run;
  const tokens =
    attempt === null
      ? run.usage === null
        ? null
        : { input: run.usage.input_tokens, output: run.usage.output_tokens }
      : attempt.input_tokens === null
        ? null
        : { input: attempt.input_tokens, output: attempt.output_tokens };
  const code = (text: string | null | undefined): ReactNode => (text == null ? null : <code translate="no">{text}</code>);
  return (
    <div className="wf-details">
      <FactList
        facts={[
          [t('started'), format.dateTime(shown.started_at)],
          [t('firstToken'), shown.first_token_at === null ? null : format.duration(between(shown.started_at, shown.first_token_at))],
          [t('error'), row.error === null ? null : <ErrorFact code={row.error} detail={attempt?.detail ?? null} />],
          [t('status'), attempt?.status == null ? null : format.number(attempt.status)],
          [t('provider'), code(attempt?.provider)],
          [t('upstreamModel'), code(attempt?.upstream_model)],
          [t('runId'), attempt === null ? code(run.id) : null],
          [
            t('tokens'),
            tokens === null
              ? null
              : t('tokensBoth', {
                  input: format.number(tokens.input),
                  output: tokens.output === null ? '–' : format.number(tokens.output),
                }),
          ],
          [t('cost'), shown.cost === null ? null : format.money(shown.cost, shown.currency)],
          [
            t('vendorSaid'),
            attempt?.detail == null ? null : (
              <code className="wrap" translate="no">
                {vendorWords(attempt.detail).words}
              </code>
            ),
          ],
        ]}
      />
      {attempt === null && run.content !== null && (
        <details>
          <summary>{t('content')}</summary>
          <pre className="wrap code" translate="no">
            {JSON.stringify(run.content, null, 2)}
          </pre>
        </details>
      )}
    </div>
  );
}
