/** What a PostgreSQL server's error means to the person who named it: PostgreSQL's codes (its appendix A), and the system's. */

import { asFault, Fault, type FaultCode } from '../../base/fault.ts';
import { Unanswered } from '../../base/patience.ts';
import { errnoOf } from '../../base/thrown.ts';

interface Kind {
  codes: readonly string[];
  /** Where the code is used for other things too. */
  said?: RegExp;
  fault?: FaultCode;
  next: string;
}

const POOLER =
  'let the pooler keep transactions or sessions whole (PgBouncer: pool_mode = transaction or session), or name the server itself in REENACT_DATABASE_URL';

const SILENT =
  'see whether the server is up and what it is busy with (its log, pg_stat_activity), then run the same command again: nothing half-done was kept';

const KINDS: readonly Kind[] = [
  // A statement or a setting of another client’s session: of ours there are none behind a pooler that is recognised.
  { codes: ['42P05', '26000'], next: POOLER },
  { codes: ['08P01'], said: /pooling mode|startup parameter/, next: POOLER },
  {
    codes: ['28P01', '28000', '08004'],
    next: 'see user and password in REENACT_DATABASE_URL, and the server’s pg_hba.conf',
  },
  { codes: ['3D000'], next: 'create that database (createdb), or name another in REENACT_DATABASE_URL' },
  {
    codes: ['42501'],
    next: 'give the user of REENACT_DATABASE_URL the right to create tables in its database',
  },
  { codes: ['25006'], next: 'name the primary server in REENACT_DATABASE_URL: this one can only be read' },
  { codes: ['53300'], next: 'wait for other connections to end, or raise max_connections of the server' },
  {
    codes: ['53100'],
    fault: 'disk_full',
    next: 'free space where the server keeps its data, then run the same command again: nothing half-done was kept',
  },
  {
    codes: [
      'ECONNREFUSED',
      'ENOENT',
      'ENOTFOUND',
      'EAI_AGAIN',
      'ETIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
      '57P03',
    ],
    next: 'start the server, or see host and port in REENACT_DATABASE_URL',
  },
  {
    codes: ['ECONNRESET', 'EPIPE', '57P01', '57P02'],
    next: 'see why the server ended the connection, then run the same command again: nothing half-done was kept',
  },
];

/** The Fault of a server's failure; `database` is what messages call it. */
export function serverFault(database: string, error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof Unanswered)
    return new Fault('store_failed', `the database ${database} failed: ${error.message}`, error, SILENT);
  const code = errnoOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const what = `the database ${database} failed${code && ` (${code})`}`;
  const kind = KINDS.find(({ codes, said }) => codes.includes(code) && (said?.test(text) ?? true));
  return kind
    ? new Fault(kind.fault ?? 'store_failed', `${what}: ${text}`, error, kind.next)
    : asFault('store_failed', what, error);
}
