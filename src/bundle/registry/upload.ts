/** The upload of one blob: in chunks, and after a lost connection from the byte up to which the registry has it. */

import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { Answer } from '../../base/http.ts';
import { LIMITS } from '../../base/limits.ts';
import { present } from '../../base/list.ts';
import { Lost, type Remote } from './remote.ts';

const CHUNK_BYTES = 16 << 20;
const OCTETS = 'application/octet-stream';

/** A registry hashes or moves a whole blob, and says nothing meanwhile; whether it lives is looked at all the same. */
const WORK = { quietMs: LIMITS.registryWorkMs };

interface Upload {
  /** The address for the next chunk; undefined: no upload was begun, or the registry has dropped it. */
  place: URL | undefined;
  /** Bytes that the registry has. */
  at: number;
}

/** How many bytes the registry says it has; undefined when it does not say. */
function arrived({ headers }: Answer): number | undefined {
  const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(headers.get('range') ?? '')?.[1];
  return end === undefined ? undefined : Number(end) + 1;
}

/** Asks how far the upload got. Registries may have forgotten it, or dropped it because a chunk was cut. */
async function resume(remote: Remote, upload: Upload, place: URL, size: number): Promise<void> {
  const answer = await remote.tell('an upload’s progress', place, {}, [204, 400, 404, 405, 416]);
  const at = arrived(answer);
  // "0-0" can mean no byte as well as one.
  const known = answer.status === 204 && at !== undefined && at > 1 && at <= size;
  const location = answer.headers.get('location');
  upload.place = known ? (location === null ? place : remote.place(location, place)) : undefined;
  if (known) upload.at = at;
}

/** Begins an upload, unless the registry has the blob. */
async function begin(remote: Remote, upload: Upload, digest: Digest): Promise<boolean> {
  const blob = remote.session.url(`blobs/${digest}`);
  const head = await remote.tell(`blob ${digest}`, blob, { method: 'HEAD' }, [200, 404]);
  if (head.status === 200) return false;
  const url = remote.session.url('blobs/uploads/');
  const { headers } = await remote.tell('to begin an upload', url, { method: 'POST' }, [202]);
  upload.place = remote.place(headers.get('location'), url);
  upload.at = 0;
  return true;
}

async function sendChunk(remote: Remote, upload: Upload, place: URL, content: Blob): Promise<void> {
  const end = Math.min(upload.at + CHUNK_BYTES, content.size);
  const headers = { 'content-type': OCTETS, 'content-range': `${upload.at}-${end - 1}` };
  const body = content.slice(upload.at, end);
  const what = `bytes ${upload.at} to ${end} of a blob`;
  const answer = await remote.tell(what, place, { method: 'PATCH', headers, body, ...WORK }, [202, 404, 416]);
  if (answer.status !== 202 || (arrived(answer) ?? end) !== end)
    throw new Lost(`${remote.host}, ${what}: it did not take them (HTTP ${answer.status})`);
  upload.place = remote.place(answer.headers.get('location'), place);
  upload.at = end;
}

async function finish(remote: Remote, place: URL, digest: Digest): Promise<void> {
  // Added as text: the registry must get its own query back unchanged.
  const url = new URL(`${place.href}${place.search ? '&' : '?'}digest=${encodeURIComponent(digest)}`);
  const headers = { 'content-type': OCTETS };
  const what = `to finish blob ${digest}`;
  const { status } = await remote.tell(what, url, { method: 'PUT', headers, ...WORK }, [201, 400, 404, 416]);
  if (status === 400)
    throw new Fault(
      'registry_unreachable',
      `${remote.host} got other bytes than those of ${digest}: the bundle was changed meanwhile, or what passes is damaged`,
    );
  if (status !== 201) throw new Lost(`${remote.host}, ${what}: HTTP ${status}`);
}

/** Sends a blob unless the registry has it; says whether it was sent. */
export function uploadBlob(remote: Remote, digest: Digest, content: Blob): Promise<boolean> {
  const upload: Upload = { place: undefined, at: 0 };
  return remote.patiently(
    () => upload.at,
    async () => {
      if (upload.place) await resume(remote, upload, upload.place, content.size);
      if (!upload.place && !(await begin(remote, upload, digest))) return false;
      while (upload.at < content.size) await sendChunk(remote, upload, present(upload.place), content);
      await finish(remote, present(upload.place), digest);
      return true;
    },
  );
}
