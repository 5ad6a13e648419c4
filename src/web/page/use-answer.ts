import { useEffect, useState } from 'preact/hooks';

/**
 * What `read` returns for these inputs; the text of its error; undefined while nothing is loaded.
 * @param read undefined if there is nothing to load
 * @param subject what the answer is about: while another subject is loading, there is no answer
 */
export function useAnswer<Answer extends object>(
  read: ((signal: AbortSignal) => Promise<Answer>) | undefined,
  inputs: readonly unknown[],
  subject?: string,
): Answer | string | undefined {
  const [found, setFound] = useState<{ subject: string | undefined; answer: Answer | string }>();
  useEffect(() => {
    if (!read) return undefined;
    const aborting = new AbortController();
    read(aborting.signal).then(
      (answer) => setFound({ subject, answer }),
      (error: unknown) => {
        if (!aborting.signal.aborted)
          setFound({ subject, answer: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => aborting.abort();
  }, inputs);
  return found?.subject === subject ? found?.answer : undefined;
}
