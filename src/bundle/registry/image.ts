/** An image in a registry, document by document and layer by layer; nothing is passed on that does not have its digest. */

import type { ImageSource } from '../../artifacts/oci.ts';
import { digestOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { IMAGE_TYPES } from '../../sandbox/registry.ts';
import { downloadBlob } from './download.ts';
import type { Remote } from './remote.ts';

function absent(remote: Remote, what: string): Fault {
  return new Fault('image_not_found', `${remote.repository} does not have ${what}`);
}

/** Reads from this registry; a Fault of image_bytes_mismatch or registry_mismatch where it serves other bytes. */
export function imageSource(remote: Remote): ImageSource {
  return {
    repository: remote.repository,
    async document(kind, digest) {
      const found = await remote.document(remote.session.url(`${kind}/${digest}`), IMAGE_TYPES);
      if (!found) throw absent(remote, digest);
      const actual = digestOf(found.bytes);
      if (actual === digest) return found.bytes;
      throw new Fault(
        'image_bytes_mismatch',
        `${remote.host} served bytes with digest ${actual} for ${digest}`,
      );
    },
    async blob(blob, path) {
      try {
        await downloadBlob(remote, { mediaType: '', ...blob }, path);
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'bundle_not_found') throw error;
        throw absent(remote, `${blob.digest}, which its image is made of`);
      }
    },
  };
}
