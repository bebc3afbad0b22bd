/** A thrown value may be anything: its message and its errno are read here, without assuming that it is an Error. */

/** The message of a thrown value, for people. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The code of a system error, such as ENOENT; '' where there is none. */
export function errnoOf(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** The status of an answer that a library threw, such as 404 of an engine; undefined where there is none. */
export function statusOf(thrown: unknown): number | undefined {
  const status: unknown = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** What a thrown error was caused by, where it says so; else the thrown value itself. */
export function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
}
