/** Manifests in a registry: uploaded as exactly their bytes, and accepted only by their digest. */
import { type Digest, digestOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { Answer } from '../../base/http.ts';
import { MANIFEST_TYPE } from '../format/format.ts';
import type { Remote } from './remote.ts';

/** Puts a manifest under a digest or a tag; a registry that stores it as something else is a Fault. */
export function putManifest(
  remote: Remote,
  name: string,
  text: string,
  mediaType: string = MANIFEST_TYPE,
): Promise<Answer> {
  return remote.patiently(
    () => 0,
    async () => {
      const url = remote.session.url(`manifests/${name}`);
      const headers = { 'content-type': mediaType };
      const what = `manifest ${name}`;
      const answer = await remote.tell(what, url, { method: 'PUT', headers, body: text }, [201]);
      const said = answer.headers.get('docker-content-digest') ?? digestOf(text);
      if (said !== digestOf(text))
        throw new Fault(
          'registry_mismatch',
          `${remote.host}, ${what}: it made something else of ${digestOf(text)}`,
        );
      return answer;
    },
  );
}

/** A manifest's bytes; those asked for by digest have it. */
export async function getManifest(remote: Remote, name: string, digest: Digest | undefined): Promise<Buffer> {
  const found = await remote.document(remote.session.url(`manifests/${name}`), MANIFEST_TYPE);
  if (!found) throw new Fault('bundle_not_found', `${remote.repository} does not have ${name}`);
  const actual = digestOf(found.bytes);
  if (digest !== undefined && actual !== digest)
    throw new Fault('registry_mismatch', `${remote.host} served bytes with digest ${actual} for ${digest}`);
  return found.bytes;
}
