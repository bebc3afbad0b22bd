/** A PostgreSQL server, 15 or newer, through node-postgres. */
import pg from 'pg';

import { digestOf } from '../../base/digest.ts';
import { asFault, Fault } from '../../base/fault.ts';
import type { Database, Parameter, Queries } from './database.ts';
import { serverFault } from './server-fault.ts';

const OLDEST = 150_000;
const CONNECT_MS = 10_000;
/** No statement of ours takes long; a server that hangs must not hang us. */
const STATEMENT_MS = 300_000;

/** An address for messages, without password. */
function shown(url: string): string {
  try {
    const { protocol, hostname, port, pathname, searchParams } = new URL(url);
    return `${protocol}//${hostname || searchParams.get('host') || ''}${port ? `:${port}` : ''}${pathname}`;
  } catch {
    return 'named by REENACT_DATABASE_URL';
  }
}

function queriesOf(client: pg.Client, database: string, session: { own: boolean }): Queries {
  return {
    async query<Row extends object>(text: string, parameters: readonly Parameter[] = []) {
      try {
        // Statements with parameters are planned once: there are few different ones, and planning the views takes longest.
        const name = session.own && parameters.length > 0 ? digestOf(text).slice(7, 39) : undefined;
        return (await client.query<Row>({ text, values: [...parameters], ...(name ? { name } : {}) })).rows;
      } catch (error) {
        throw serverFault(database, error);
      }
    },
  };
}

/** Addresses that cannot be one are a mistake of whoever named them. */
function clientOf(o: pg.ClientConfig): pg.Client {
  try {
    return new pg.Client(o);
  } catch (error) {
    throw asFault('usage', 'REENACT_DATABASE_URL cannot be used', error);
  }
}

/** Connects to the server that `url` names. Throws a Fault when it cannot, or the server is too old. */
export async function openServer(url: string): Promise<Database> {
  const name = shown(url);
  if (!/^postgres(?:ql)?:\/\//.test(url))
    throw new Fault('usage', 'REENACT_DATABASE_URL is an address like postgresql://user@host:5432/database');
  const client = clientOf({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
    application_name: 'reenact',
  });
  // Without a listener a lost connection would end the process; the next statement says what happened.
  client.on('error', () => {});
  const session = { own: false };
  const queries = queriesOf(client, name, session);
  try {
    await client.connect();
    const [found] = await queries.query<{ version: string; pid: number }>(
      "SELECT current_setting('server_version_num') AS version, pg_backend_pid() AS pid",
    );
    // Poolers have process numbers of their own: a name given there can be another client's.
    session.own = (client as { processID?: unknown }).processID === found!.pid;
    if (Number(found!.version) < OLDEST)
      throw new Fault('store_failed', `${name} is PostgreSQL ${found!.version}; 15 or newer is needed`);
  } catch (error) {
    await client.end().catch(() => {});
    throw serverFault(name, error);
  }
  return {
    ...queries,
    name,
    async transaction(work) {
      await queries.query('BEGIN');
      try {
        const result = await work(queries);
        await queries.query('COMMIT');
        return result;
      } catch (error) {
        // Of a connection that is lost, the server rolls back by itself.
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      }
    },
    close: () => client.end(),
  };
}
