/** Where a bundle lies in a registry: a repository, and in it a digest, a tag, or nothing. */
import { type Digest, isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';

export interface RegistryReference {
  /** Host and path: "registry.example.org/cases/one". */
  repository: string;
  tag: string | undefined;
  digest: Digest | undefined;
}

/** By the grammar of the OCI distribution specification, with a host: evidence must not be sent to a wrong place. */
const FORM =
  /^(?<repository>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+|localhost|[a-z0-9-]+(?=:\d))(?::\d{1,5})?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>.*))?$/;

/** Reads "host/path", "host/path:tag" or "host/path@sha256:…"; a tag and a digest together are refused. */
export function parseReference(text: string): RegistryReference {
  const { repository, tag, digest } = FORM.exec(text)?.groups ?? {};
  const known = repository !== undefined && URL.canParse(`https://${repository}`);
  const named = digest !== undefined && tag === undefined && isDigest(digest) ? digest : undefined;
  if (!known || named !== digest)
    throw new Fault(
      'usage',
      `${text} names no place in a registry: HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, with the host, all lower-case`,
    );
  return { repository, tag, digest: named };
}
