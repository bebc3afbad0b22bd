/** Common forms that are not evidence as they stand: each is named, with the command that helps. */
import { packedForms } from '../../base/packings.ts';
import { Refusal } from '../common/refusal.ts';

/** The format that a file's first bytes show, and the command that turns it into a supported one. */
const BYTES: [Buffer, string, string][] = [
  ...packedForms('evidence.json'),
  [
    Buffer.from([0xff, 0x06, 0, 0, 0x73, 0x4e, 0x61, 0x50]),
    'compressed with snappy',
    'get it unpacked: gh attestation download FILE --repo OWNER/NAME',
  ],
  [Buffer.from('PK\u0003\u0004'), 'a ZIP archive', 'give the evidence inside it: unzip FILE'],
  [
    Buffer.from('-----BEGIN PUBLIC KEY'),
    'a public key',
    'name the key in the policy: reenact policy init --key FILE',
  ],
  [
    Buffer.from('-----BEGIN '),
    'a PEM file',
    'give the bundle or the envelope: a key or a certificate alone signs nothing',
  ],
];

interface Form {
  /** Members that only this form has. */
  members: string[];
  is: string;
  next: string;
}

const ASK_BUNDLE = 'sign with cosign 2.4 or later and --new-bundle-format, and give that bundle';

const FORMS: Form[] = [
  { members: ['base64Signature', 'cert'], is: 'cosign’s old bundle, which is not read', next: ASK_BUNDLE },
  { members: ['base64Signature'], is: 'cosign’s old bundle, which is not read', next: ASK_BUNDLE },
  { members: ['SignedEntryTimestamp', 'Payload'], is: 'a log’s promise alone', next: ASK_BUNDLE },
  {
    members: ['attestation_bundles'],
    is: 'a provenance object of PyPI (PEP 740), which is not read',
    next: 'verify it with pypi-attestations: its attestations are no Sigstore bundles',
  },
  {
    members: ['verification_material', 'envelope'],
    is: 'an attestation of PyPI (PEP 740), which is not read',
    next: 'verify it with pypi-attestations: it is no Sigstore bundle',
  },
  {
    members: ['signed', 'signatures'],
    is: 'a signed document of in-toto’s link format or of TUF, not a DSSE envelope',
    next: 'make a DSSE envelope: reenact sign',
  },
  {
    members: ['_type', 'predicateType'],
    is: 'an in-toto statement without a signature',
    next: 'give the bundle or the envelope around it: a statement alone proves nothing',
  },
  {
    members: ['harness_version', 'run_instructions'],
    is: 'a replay manifest',
    next: 'give its evidence: reenact evidence verify EVIDENCE --manifest FILE',
  },
  {
    members: ['schemaVersion', 'layers'],
    is: 'an image manifest',
    next: 'give the bundle that is its layer: cosign download attestation IMAGE',
  },
  {
    members: ['authorities', 'version'],
    is: 'a policy',
    next: 'give the evidence: reenact evidence verify EVIDENCE --policy FILE',
  },
];

function unreadable(name: string, is: string, next: string): Refusal {
  return new Refusal('evidence_unreadable', `${name} is ${is}`, undefined, next);
}

/** A Refusal that names what the bytes are; undefined where they may be evidence. */
export function foreignBytes(bytes: Buffer, name: string): Refusal | undefined {
  const found = BYTES.find(([magic]) => bytes.subarray(0, magic.length).equals(magic));
  if (found) return unreadable(name, found[1], found[2]);
  // POSIX and GNU archives have their format's name at offset 257.
  if (bytes.subarray(257, 262).toString('latin1') === 'ustar')
    return unreadable(name, 'a tar archive', 'give the evidence inside it: tar xf FILE');
  return undefined;
}

/** The Refusal of a JSON value that is neither a bundle nor an envelope: by its own name where that is known. */
export function foreignForm(value: unknown, name: string): Refusal {
  const has = (member: string): boolean =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, member);
  const form = FORMS.find(({ members }) => members.every(has));
  if (form) return unreadable(name, form.is, form.next);
  return new Refusal(
    'evidence_unreadable',
    `${name} is neither a Sigstore bundle (mediaType) nor a DSSE envelope (payloadType)`,
  );
}

/** How Sigstore names the version of a format, in both of its spellings. */
const SIGSTORE_FORMAT =
  /^application\/vnd\.dev\.sigstore\.(bundle|trustedroot)(?:\.v(\d+)\.(\d+)\+json|\+json; ?version=(\d+)\.(\d+))$/;

/** The Refusal of a media type that is none of those read here: of another format, or of a later version than `newest` (0.x). */
export function foreignMediaType(mediaType: string, name: string, newest: number): Refusal {
  const [, format, ...numbers] = SIGSTORE_FORMAT.exec(mediaType) ?? [];
  const [major = 0, minor = 0] = numbers.filter((part) => part !== undefined).map(Number);
  if (format === 'bundle' && (major > 0 || minor > newest))
    return new Refusal(
      'evidence_newer',
      `${name} is a Sigstore bundle v${major}.${minor}, newer than those read here (v0.1 to v0.${newest})`,
    );
  if (format === 'trustedroot')
    return unreadable(name, 'a trusted root', 'name it in the policy: trust: {root: FILE}');
  return new Refusal(
    'evidence_unreadable',
    `${name} has the media type ${JSON.stringify(mediaType.slice(0, 120))}, which is no Sigstore bundle’s (v0.1 to v0.${newest})`,
  );
}
